//! What a condition may be made of.

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::{ParseErrors, Program};
use regex::RegexBuilder;

use super::RuleError;
use super::facts::Names;

/// Most bytes of a compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Most characters of the parser's own words that are repeated.
const SYNTAX_CHARACTERS_MAX: usize = 300;
/// The functions of CEL that conditions may call. Operators have names that no function can have.
const FUNCTIONS: [&str; 12] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "uint",
];
/// The function that compiles a regular expression each time.
const MATCHES: &str = "matches";
/// What takes long or makes something longer each time: the operators `+` and `in`, and regular expressions.
const UNBOUNDED: [&str; 3] = ["_+_", "@in", MATCHES];

/// Checks a parsed condition against the variables that there are. Returns whether it has loops.
pub(super) fn program(program: &Program, names: Names) -> Result<bool, RuleError> {
    let mut walk = Walk {
        names,
        loops: Vec::new(),
        has_loops: false,
    };
    walk.expression(program.expression())?;
    Ok(walk.has_loops)
}

/// Returns the parser's first complaint on one line.
pub(super) fn syntax(errors: &ParseErrors) -> String {
    let first = errors.errors.first();
    let (position, text) =
        first.map_or(((1, 1), "unknown"), |error| (error.pos, error.msg.as_str()));
    let text: String = text.chars().take(SYNTAX_CHARACTERS_MAX).collect();
    format!("character {}: {text}", position.1.max(0))
}

/// Tells whether an expression is a regular expression between quotes, and one of moderate size.
fn is_pattern(expression: &IdedExpr) -> bool {
    let Expr::Literal(LiteralValue::String(text)) = &expression.expr else {
        return false;
    };
    let pattern = RegexBuilder::new(text.inner())
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    pattern.is_ok()
}

struct Walk {
    names: Names,
    /// The variables of the loops around, two for each.
    loops: Vec<String>,
    has_loops: bool,
}

impl Walk {
    fn expression(&mut self, expression: &IdedExpr) -> Result<(), RuleError> {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.expression(&select.operand),
            Expr::List(list) => self.all(&list.elements),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(_) => Err(RuleError::Unknown("there are no messages".to_owned())),
            Expr::Call(call) => {
                let name = &call.func_name;
                let is_operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
                if !is_operator && !FUNCTIONS.contains(&name.as_str()) {
                    return Err(RuleError::Unknown(format!(
                        "there is no function {name:?}; there are {}",
                        FUNCTIONS.join(", ")
                    )));
                }
                if UNBOUNDED.contains(&name.as_str()) && !self.loops.is_empty() {
                    return Err(RuleError::Loop);
                }
                if name == MATCHES && !call.args.last().is_some_and(is_pattern) {
                    return Err(RuleError::Pattern);
                }
                if let Some(target) = &call.target {
                    self.expression(target)?;
                }
                self.all(&call.args)
            }
            Expr::Comprehension(found) => {
                if !self.loops.is_empty() {
                    return Err(RuleError::Loop);
                }
                self.has_loops = true;
                self.expression(&found.iter_range)?;
                self.expression(&found.accu_init)?;
                let names = [
                    Some(&found.iter_var),
                    Some(&found.accu_var),
                    found.iter_var2.as_ref(),
                ];
                self.loops.extend(names.into_iter().flatten().cloned());
                for part in [&found.loop_cond, &found.loop_step, &found.result] {
                    self.expression(part)?;
                }
                self.loops.clear();
                Ok(())
            }
        }
    }

    fn all(&mut self, expressions: &[IdedExpr]) -> Result<(), RuleError> {
        expressions
            .iter()
            .try_for_each(|expression| self.expression(expression))
    }

    fn entries<'a>(
        &mut self,
        entries: impl Iterator<Item = &'a EntryExpr>,
    ) -> Result<(), RuleError> {
        for entry in entries {
            match entry {
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key)?;
                    self.expression(&entry.value)?;
                }
                EntryExpr::StructField(field) => self.expression(&field.value)?,
            }
        }
        Ok(())
    }

    fn name(&self, name: &str) -> Result<(), RuleError> {
        if self.names.contains(&name) || self.loops.iter().any(|own| own == name) {
            return Ok(());
        }
        let there: BTreeSet<&str> = self.names.iter().copied().collect();
        let there: Vec<&str> = there.into_iter().collect();
        Err(RuleError::Unknown(format!(
            "there is no variable {name:?}; there are {}",
            there.join(", ")
        )))
    }
}
