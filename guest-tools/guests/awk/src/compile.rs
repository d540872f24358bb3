//! Turns the tree of a program into operations: statements and the whole here, expressions in `expression`, what
//! is an array in `arrays`.

mod arrays;
mod expression;

use std::collections::HashMap;

use crate::Error;
use crate::op::{FunctionCode, Op, Program, SPECIALS, Target};
use crate::syntax::{Block, Case, Expression, Pattern, Redirect, Rule, Statement, Tree};
use crate::value::Value;

/// A loop or switch that is being compiled.
struct Enclosing {
    is_loop: bool,
    /// Jumps to its end.
    breaks: Vec<usize>,
    /// Jumps to its next round.
    continues: Vec<usize>,
}

struct Compiler<'a> {
    program: Program,
    line: u32,
    /// The parameters of the function that is compiled.
    parameters: HashMap<String, u32>,
    function_places: HashMap<&'a str, u32>,
    /// For each function and parameter, whether it is used as an array.
    array_parameters: Vec<Vec<bool>>,
    parameter_counts: Vec<usize>,
    enclosing: Vec<Enclosing>,
}

/// Compiles a program.
pub fn compile(tree: &Tree, source_name: &str) -> Result<Program, Error> {
    let mut program = Program {
        source_name: source_name.to_owned(),
        ..Program::default()
    };
    for (slot, (name, _)) in SPECIALS.iter().enumerate() {
        program.globals.insert((*name).to_owned(), slot as u32);
    }
    let mut compiler = Compiler {
        program,
        line: 1,
        parameters: HashMap::new(),
        function_places: tree
            .functions
            .iter()
            .zip(0..)
            .map(|(function, place)| (function.name.as_str(), place))
            .collect(),
        array_parameters: arrays::array_parameters(tree),
        parameter_counts: tree
            .functions
            .iter()
            .map(|function| function.parameters.len())
            .collect(),
        enclosing: Vec::new(),
    };
    compiler.whole(tree)?;
    Ok(compiler.program)
}

impl Compiler<'_> {
    fn whole(&mut self, tree: &Tree) -> Result<(), Error> {
        for function in &tree.functions {
            let entry = self.here();
            self.parameters = function.parameters.iter().cloned().zip(0..).collect();
            self.block(&function.body)?;
            self.emit(Op::Empty);
            self.emit(Op::Return);
            self.program.functions.push(FunctionCode {
                name: function.name.clone(),
                entry,
                parameters: function.parameters.clone(),
            });
        }
        self.parameters.clear();
        self.program.begin = self.chunk(&tree.begin)?;
        self.program.end = self.chunk(&tree.end)?;
        self.program.begin_file = self.chunk(&tree.begin_file)?;
        self.program.end_file = self.chunk(&tree.end_file)?;
        if !tree.rules.is_empty() {
            self.program.rules = Some(self.here());
            for rule in &tree.rules {
                self.rule(rule)?;
            }
            self.emit(Op::Done);
        }
        Ok(())
    }

    fn chunk(&mut self, blocks: &[Block]) -> Result<Option<u32>, Error> {
        if blocks.is_empty() {
            return Ok(None);
        }
        let entry = self.here();
        for block in blocks {
            self.block(block)?;
        }
        self.emit(Op::Done);
        Ok(Some(entry))
    }

    fn here(&self) -> u32 {
        self.program.code.len() as u32
    }

    fn emit(&mut self, op: Op) -> usize {
        self.program.code.push(op);
        self.program.lines.push(self.line);
        self.program.code.len() - 1
    }

    /// Makes the jump at a place go to where the next operation will be.
    fn land(&mut self, place: usize) {
        let here = self.here();
        self.land_at(place, here);
    }

    fn land_at(&mut self, place: usize, goal: u32) {
        match self.program.code.get_mut(place) {
            Some(
                Op::Jump(to)
                | Op::JumpIfFalse(to)
                | Op::JumpIfTrue(to)
                | Op::NextKey(to)
                | Op::JumpUnlessGot(to),
            ) => *to = goal,
            _ => debug_assert!(false, "only jumps land"),
        }
    }

    fn constant(&mut self, text: &[u8]) -> u32 {
        self.program.constants.push(Value::text(text));
        self.program.constants.len() as u32 - 1
    }

    fn regex(&mut self, pattern: &[u8]) -> u32 {
        self.program.regexes.push(pattern.to_vec());
        self.program.regexes.len() as u32 - 1
    }

    fn error(&self, what: &str) -> Error {
        Error::syntax(format!(
            "{}:{}: fatal: {what}",
            self.program.source_name, self.line
        ))
    }

    fn rule(&mut self, rule: &Rule) -> Result<(), Error> {
        self.line = rule.line;
        let skip = match &rule.pattern {
            Pattern::Always => None,
            Pattern::When(condition) => {
                self.expression(condition)?;
                Some(self.emit(Op::JumpIfFalse(0)))
            }
            Pattern::Range(first, last) => {
                let range = self.program.ranges;
                self.program.ranges += 1;
                self.emit(Op::RangeIsOpen(range));
                let is_open = self.emit(Op::JumpIfTrue(0));
                self.expression(first)?;
                let skip = self.emit(Op::JumpIfFalse(0));
                self.emit(Op::SetRange(range, true));
                self.land(is_open);
                self.expression(last)?;
                let go_on = self.emit(Op::JumpIfFalse(0));
                self.emit(Op::SetRange(range, false));
                self.land(go_on);
                Some(skip)
            }
        };
        match &rule.action {
            Some(action) => self.block(action)?,
            None => {
                self.emit(Op::PrintRecord);
            }
        }
        if let Some(skip) = skip {
            self.land(skip);
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), Error> {
        for (statement, line) in block {
            self.line = *line;
            self.statement(statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Error> {
        match statement {
            Statement::Expression(expression) => self.effect(expression)?,
            Statement::Print(values, redirect) => self.print(values, redirect.as_ref(), true)?,
            Statement::Printf(values, redirect) => self.print(values, redirect.as_ref(), false)?,
            Statement::If(condition, then, otherwise) => {
                let skip = self.jump_unless(condition)?;
                self.block(then)?;
                match otherwise {
                    Some(otherwise) => {
                        let end = self.emit(Op::Jump(0));
                        self.land(skip);
                        self.block(otherwise)?;
                        self.land(end);
                    }
                    None => self.land(skip),
                }
            }
            Statement::While(condition, body) => {
                // The condition stands at the end: one jump per round.
                let to_condition = self.emit(Op::Jump(0));
                let top = self.here();
                self.enter(true);
                self.block(body)?;
                self.land(to_condition);
                let again = self.here();
                self.jump_if(condition, top)?;
                self.leave(again);
            }
            Statement::DoWhile(body, condition) => {
                let top = self.here();
                self.enter(true);
                self.block(body)?;
                let again = self.here();
                self.jump_if(condition, top)?;
                self.leave(again);
            }
            Statement::For(first, condition, step, body) => {
                if let Some(first) = first {
                    self.statement(first)?;
                }
                let to_condition = self.emit(Op::Jump(0));
                let top = self.here();
                self.enter(true);
                self.block(body)?;
                let again = self.here();
                if let Some(step) = step {
                    self.statement(step)?;
                }
                self.land(to_condition);
                match condition {
                    Some(condition) => self.jump_if(condition, top)?,
                    None => {
                        self.emit(Op::Jump(top));
                    }
                }
                self.leave(again);
            }
            Statement::ForIn(key, array, body) => self.for_in(key, array, body)?,
            Statement::Switch(subject, cases) => self.switch(subject, cases)?,
            Statement::Block(block) => self.block(block)?,
            Statement::Next => {
                self.emit(Op::Next);
            }
            Statement::NextFile => {
                self.emit(Op::NextFile);
            }
            Statement::Exit(status) => {
                if let Some(status) = status {
                    self.expression(status)?;
                }
                self.emit(Op::Exit(status.is_some()));
            }
            Statement::Return(value) => {
                match value {
                    Some(value) => self.expression(value)?,
                    None => {
                        self.emit(Op::Empty);
                    }
                }
                self.emit(Op::Return);
            }
            Statement::Break | Statement::Continue => {
                let is_break = *statement == Statement::Break;
                let jump = self.emit(Op::Jump(0));
                let enclosing = self
                    .enclosing
                    .iter_mut()
                    .rev()
                    .find(|enclosing| is_break || enclosing.is_loop);
                match enclosing {
                    Some(enclosing) if is_break => enclosing.breaks.push(jump),
                    Some(enclosing) => enclosing.continues.push(jump),
                    None => return Err(self.error("`break' or `continue' outside a loop")),
                }
            }
            Statement::Delete(Expression::Index(base, keys)) => {
                self.array(base)?;
                self.keys(keys)?;
                self.emit(Op::DeleteElement);
            }
            Statement::Delete(array) => {
                self.array(array)?;
                self.emit(Op::DeleteArray);
            }
        }
        Ok(())
    }

    fn enter(&mut self, is_loop: bool) {
        self.enclosing.push(Enclosing {
            is_loop,
            breaks: Vec::new(),
            continues: Vec::new(),
        });
    }

    /// Ends a loop or switch: breaks land here, continues at `again`.
    fn leave(&mut self, again: u32) {
        let Some(enclosing) = self.enclosing.pop() else {
            return;
        };
        for jump in enclosing.continues {
            self.land_at(jump, again);
        }
        for jump in enclosing.breaks {
            self.land(jump);
        }
    }

    fn for_in(&mut self, key: &Expression, array: &Expression, body: &Block) -> Result<(), Error> {
        self.array(array)?;
        self.emit(Op::Keys);
        let again = self.here();
        let next = self.emit(Op::NextKey(0));
        // The pieces of an element or field belong below the key.
        if !matches!(key, Expression::Variable(_)) {
            self.emit(Op::KeepText);
        }
        match self.target(key)? {
            target @ (Target::Global(_) | Target::Local(_) | Target::Special(_)) => {
                self.emit(Op::Set(target, false));
            }
            target => {
                self.emit(Op::PushGotText);
                self.emit(Op::Set(target, false));
            }
        }
        self.enter(true);
        self.block(body)?;
        self.emit(Op::Jump(again));
        // A break leaves the keys on the stack; the end of the keys has dropped them.
        let breaks = match self.enclosing.last_mut() {
            Some(enclosing) => std::mem::take(&mut enclosing.breaks),
            None => Vec::new(),
        };
        self.leave(again);
        for jump in &breaks {
            self.land(*jump);
        }
        if !breaks.is_empty() {
            self.emit(Op::Pop);
        }
        self.land(next);
        Ok(())
    }

    fn switch(&mut self, subject: &Expression, cases: &[(Case, Block)]) -> Result<(), Error> {
        self.expression(subject)?;
        let mut tests = Vec::new();
        for (case, _) in cases {
            tests.push(match case {
                Case::Is(label) => {
                    self.emit(Op::Duplicate);
                    match label {
                        Expression::Regex(pattern) => {
                            let regex = self.regex(pattern);
                            self.emit(Op::MatchConstant(regex));
                        }
                        label => {
                            self.expression(label)?;
                            self.emit(Op::Case);
                        }
                    }
                    Some(self.emit(Op::JumpIfTrue(0)))
                }
                Case::Default => None,
            });
        }
        let otherwise = self.emit(Op::Jump(0));
        // Each way in drops the subject first, so that cases can fall through without it.
        let mut entries = Vec::new();
        for test in &tests {
            match test {
                Some(test) => self.land(*test),
                None => self.land(otherwise),
            }
            self.emit(Op::Pop);
            entries.push(self.emit(Op::Jump(0)));
        }
        let no_case = if tests.iter().all(Option::is_some) {
            self.land(otherwise);
            self.emit(Op::Pop);
            Some(self.emit(Op::Jump(0)))
        } else {
            None
        };
        self.enter(false);
        for ((_, block), entry) in cases.iter().zip(entries) {
            self.land(entry);
            self.block(block)?;
        }
        if let Some(no_case) = no_case {
            self.land(no_case);
        }
        let end = self.here();
        self.leave(end);
        Ok(())
    }

    fn print(
        &mut self,
        values: &[Expression],
        redirect: Option<&(Redirect, Expression)>,
        is_print: bool,
    ) -> Result<(), Error> {
        if is_print && values.is_empty() && redirect.is_none() {
            self.emit(Op::PrintRecord);
            return Ok(());
        }
        for value in values {
            self.expression(value)?;
        }
        let mut count = values.len() as u32;
        if values.is_empty() {
            self.emit(Op::FieldConstant(0));
            count = 1;
        }
        if let Some((_, goal)) = redirect {
            self.expression(goal)?;
        }
        let redirect = redirect.map(|redirect| redirect.0);
        self.emit(if is_print {
            Op::Print(count, redirect)
        } else {
            Op::Printf(count, redirect)
        });
        Ok(())
    }
}
