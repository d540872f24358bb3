//! Compiles expressions. Each leaves exactly one value on the stack, `effect` none.

use crate::Error;
use crate::builtin::Builtin;
use crate::op::{Kept, LineFrom, Op, SPECIALS, Special, Target};
use crate::syntax::{Arithmetic, Expression, LineSource};

use super::{Compiler, arrays};

impl Compiler<'_> {
    /// Compiles an expression for its effect alone.
    pub(super) fn effect(&mut self, expression: &Expression) -> Result<(), Error> {
        match expression {
            Expression::Assign(target, value) => self.assign(target, value, false),
            Expression::Augment(operator, target, value) => {
                self.augment(*operator, target, value, false)
            }
            Expression::Increment { target, step, .. } => {
                let target = self.target(target)?;
                self.emit(Op::Increment(target, *step, Kept::Nothing));
                Ok(())
            }
            _ => {
                self.expression(expression)?;
                self.emit(Op::Pop);
                Ok(())
            }
        }
    }

    /// Compiles a condition and a jump that is taken if it is false; returns the jump's place.
    pub(super) fn jump_unless(&mut self, condition: &Expression) -> Result<usize, Error> {
        if let Expression::Not(inner) = condition {
            self.expression(inner)?;
            return Ok(self.emit(Op::JumpIfTrue(0)));
        }
        self.expression(condition)?;
        Ok(self.emit(Op::JumpIfFalse(0)))
    }

    /// Compiles a condition and a jump to `goal` that is taken if it is true.
    pub(super) fn jump_if(&mut self, condition: &Expression, goal: u32) -> Result<(), Error> {
        self.expression(condition)?;
        self.emit(Op::JumpIfTrue(goal));
        Ok(())
    }

    pub(super) fn expression(&mut self, expression: &Expression) -> Result<(), Error> {
        match expression {
            Expression::Number(number) => {
                self.emit(Op::Number(*number));
            }
            Expression::Text(text) => {
                let constant = self.constant(text);
                self.emit(Op::Constant(constant));
            }
            Expression::Regex(pattern) => {
                self.emit(Op::FieldConstant(0));
                let regex = self.regex(pattern);
                self.emit(Op::MatchConstant(regex));
            }
            Expression::Variable(name) => {
                let op = match self.variable(name)? {
                    Target::Local(slot) => Op::Local(slot),
                    Target::Special(special @ (Special::Nf | Special::Nr | Special::Fnr)) => {
                        Op::Special(special)
                    }
                    Target::Special(special) => Op::Global(special.slot()),
                    Target::Global(slot) => Op::Global(slot),
                    Target::Field | Target::Element => Op::Empty,
                };
                self.emit(op);
            }
            Expression::Field(index) => match **index {
                Expression::Number(number) if (0.0..1e6).contains(&number) => {
                    self.emit(Op::FieldConstant(number as u32));
                }
                _ => {
                    self.expression(index)?;
                    self.emit(Op::Field);
                }
            },
            Expression::Index(base, keys) => {
                self.array(base)?;
                self.keys(keys)?;
                self.emit(Op::Element);
            }
            Expression::Assign(target, value) => self.assign(target, value, true)?,
            Expression::Augment(operator, target, value) => {
                self.augment(*operator, target, value, true)?
            }
            Expression::Increment {
                target,
                step,
                is_postfix,
            } => {
                let target = self.target(target)?;
                self.emit(Op::Increment(
                    target,
                    *step,
                    if *is_postfix { Kept::Old } else { Kept::New },
                ));
            }
            Expression::Binary(operator, left, right) => {
                if let (Expression::Number(_), Expression::Number(0.0)) = (&**left, &**right)
                    && matches!(operator, Arithmetic::Divide | Arithmetic::Remainder)
                {
                    let sign = if *operator == Arithmetic::Divide {
                        ""
                    } else {
                        " in `%'"
                    };
                    let place = format!("{}:{}: ", self.program.source_name, self.line);
                    return Err(Error::syntax(format!(
                        "{place}error: division by zero attempted{sign}"
                    )));
                }
                self.expression(left)?;
                self.expression(right)?;
                self.emit(Op::Binary(*operator));
            }
            Expression::Negate(inner) => self.unary(inner, Op::Negate)?,
            Expression::Plus(inner) => self.unary(inner, Op::Plus)?,
            Expression::Not(inner) => self.unary(inner, Op::Not)?,
            Expression::Plain(inner) => self.expression(inner)?,
            Expression::And(left, right) => self.short_circuit(left, right, true)?,
            Expression::Or(left, right) => self.short_circuit(left, right, false)?,
            Expression::Compare(comparison, left, right) => {
                self.expression(left)?;
                self.expression(right)?;
                self.emit(Op::Compare(*comparison));
            }
            Expression::Match(text, pattern) => {
                self.expression(text)?;
                match &**pattern {
                    Expression::Regex(pattern) => {
                        let regex = self.regex(pattern);
                        self.emit(Op::MatchConstant(regex));
                    }
                    pattern => {
                        self.expression(pattern)?;
                        self.emit(Op::Match);
                    }
                }
            }
            Expression::Concatenate(parts) => {
                for part in parts {
                    self.expression(part)?;
                }
                self.emit(Op::Concatenate(parts.len() as u32));
            }
            Expression::Conditional(condition, then, otherwise) => {
                let skip = self.jump_unless(condition)?;
                self.expression(then)?;
                let end = self.emit(Op::Jump(0));
                self.land(skip);
                self.expression(otherwise)?;
                self.land(end);
            }
            Expression::In(keys, array) => {
                self.keys(keys)?;
                self.array(array)?;
                self.emit(Op::In);
            }
            Expression::List(_) => return Err(self.error("a list in parentheses is not a value")),
            Expression::Call(name, arguments, line) => self.call(name, arguments, *line)?,
            Expression::CallIndirect(name, arguments) => {
                self.expression(&Expression::Variable(name.clone()))?;
                for argument in arguments {
                    self.argument(argument, false)?;
                }
                self.emit(Op::CallIndirect(arguments.len() as u32));
            }
            Expression::Builtin(builtin, arguments) => self.builtin(*builtin, arguments)?,
            Expression::Line(source, target) => self.get_line(source, target.as_deref())?,
        }
        Ok(())
    }

    fn unary(&mut self, inner: &Expression, op: Op) -> Result<(), Error> {
        self.expression(inner)?;
        self.emit(op);
        Ok(())
    }

    fn short_circuit(
        &mut self,
        left: &Expression,
        right: &Expression,
        is_and: bool,
    ) -> Result<(), Error> {
        self.expression(left)?;
        let skip = self.emit(if is_and {
            Op::JumpIfFalse(0)
        } else {
            Op::JumpIfTrue(0)
        });
        self.expression(right)?;
        self.emit(Op::Truth);
        let end = self.emit(Op::Jump(0));
        self.land(skip);
        self.emit(Op::Number(if is_and { 0.0 } else { 1.0 }));
        self.land(end);
        Ok(())
    }

    /// Returns where a variable lives.
    fn variable(&mut self, name: &str) -> Result<Target, Error> {
        if let Some(slot) = self.parameters.get(name) {
            return Ok(Target::Local(*slot));
        }
        if self.function_places.contains_key(name) {
            return Err(self.error(&format!("function `{name}' used as variable or array")));
        }
        if let Some((_, special)) = SPECIALS.iter().find(|special| special.0 == name) {
            if *special == Special::Rt {
                self.program.uses_rt = true;
            }
            return Ok(if special.has_effect() {
                Target::Special(*special)
            } else {
                Target::Global(special.slot())
            });
        }
        let next = self.program.globals.len() as u32;
        Ok(Target::Global(
            *self.program.globals.entry(name.to_owned()).or_insert(next),
        ))
    }

    /// Compiles the pieces of a target.
    pub(super) fn target(&mut self, target: &Expression) -> Result<Target, Error> {
        match target {
            Expression::Variable(name) => self.variable(name),
            Expression::Field(index) => {
                self.expression(index)?;
                Ok(Target::Field)
            }
            Expression::Index(base, keys) => {
                self.array(base)?;
                self.keys(keys)?;
                Ok(Target::Element)
            }
            _ => Err(self.error("cannot assign to this expression")),
        }
    }

    /// Compiles something that is an array.
    pub(super) fn array(&mut self, array: &Expression) -> Result<(), Error> {
        match array {
            Expression::Variable(name) => {
                let op = match self.variable(name)? {
                    Target::Local(slot) => Op::ArrayLocal(slot),
                    Target::Global(slot) => Op::ArrayGlobal(slot),
                    Target::Special(special) => Op::ArrayGlobal(special.slot()),
                    Target::Field | Target::Element => Op::Empty,
                };
                self.emit(op);
                Ok(())
            }
            Expression::Index(base, keys) => {
                self.array(base)?;
                self.keys(keys)?;
                self.emit(Op::ArrayElement);
                Ok(())
            }
            Expression::Plain(inner) => self.array(inner),
            _ => Err(self.error("this argument must be an array")),
        }
    }

    pub(super) fn keys(&mut self, keys: &[Expression]) -> Result<(), Error> {
        for key in keys {
            self.expression(key)?;
        }
        if keys.len() > 1 {
            self.emit(Op::JoinKeys(keys.len() as u32));
        }
        Ok(())
    }

    fn assign(
        &mut self,
        target: &Expression,
        value: &Expression,
        is_kept: bool,
    ) -> Result<(), Error> {
        if let (Expression::Variable(name), Expression::Concatenate(parts)) = (target, value)
            && let Some((Expression::Variable(first), rest)) = parts.split_first()
            && name == first
            && rest.iter().all(is_without_effect)
            && let place @ (Target::Global(_) | Target::Local(_)) = self.variable(name)?
        {
            // `x = x y` appends in place: a loop that does it stays linear.
            for part in rest {
                self.expression(part)?;
            }
            if rest.len() > 1 {
                self.emit(Op::Concatenate(rest.len() as u32));
            }
            self.emit(Op::Append(place, is_kept));
            return Ok(());
        }
        let place = self.target(target)?;
        self.expression(value)?;
        self.emit(Op::Set(place, is_kept));
        Ok(())
    }

    fn augment(
        &mut self,
        operator: Arithmetic,
        target: &Expression,
        value: &Expression,
        is_kept: bool,
    ) -> Result<(), Error> {
        let place = self.target(target)?;
        self.expression(value)?;
        self.emit(Op::Augment(place, operator, is_kept));
        Ok(())
    }

    fn call(&mut self, name: &str, arguments: &[Expression], line: usize) -> Result<(), Error> {
        let Some(place) = self.function_places.get(name).copied() else {
            self.line = line as u32;
            let place = format!("{}:{line}: ", self.program.source_name);
            return Err(Error::fatal(format!(
                "{place}fatal: function `{name}' not defined"
            )));
        };
        let declared = self
            .parameter_counts
            .get(place as usize)
            .copied()
            .unwrap_or(0);
        if arguments.len() > declared {
            let place = format!("{}:{line}: ", self.program.source_name);
            self.program.warnings.push(format!(
                "{place}warning: function `{name}' called with more arguments than declared"
            ));
        }
        let flags = self
            .array_parameters
            .get(place as usize)
            .cloned()
            .unwrap_or_default();
        for (argument, is_array) in arguments.iter().zip(flags) {
            self.argument(argument, is_array)?;
        }
        // Those beyond the parameters are evaluated and dropped.
        for argument in arguments.iter().skip(declared) {
            self.effect(argument)?;
        }
        self.emit(Op::Call(place, arguments.len().min(declared) as u32));
        Ok(())
    }

    /// Compiles an argument of a function of the program: variables and elements may be arrays.
    fn argument(&mut self, argument: &Expression, is_array: bool) -> Result<(), Error> {
        match argument {
            Expression::Variable(name) => {
                let op = match self.variable(name)? {
                    Target::Local(slot) => Op::ArgumentLocal(slot, is_array),
                    Target::Global(slot) => Op::ArgumentGlobal(slot, is_array),
                    Target::Special(_) | Target::Field | Target::Element => {
                        return self.expression(argument);
                    }
                };
                self.emit(op);
                Ok(())
            }
            Expression::Index(base, keys) => {
                self.array(base)?;
                self.keys(keys)?;
                self.emit(Op::ArgumentElement(is_array));
                Ok(())
            }
            _ => self.expression(argument),
        }
    }

    fn builtin(&mut self, builtin: Builtin, arguments: &[Expression]) -> Result<(), Error> {
        if let (Builtin::Sub | Builtin::Gsub, [pattern, replacement, rest @ ..]) =
            (builtin, arguments)
        {
            return self.substitute(builtin == Builtin::Gsub, pattern, replacement, rest.first());
        }
        for (place, argument) in arguments.iter().enumerate() {
            let takes_pattern = matches!(
                (builtin, place),
                (Builtin::Match, 1)
                    | (Builtin::Split | Builtin::Patsplit, 2)
                    | (Builtin::Gensub, 0)
            );
            match argument {
                _ if arrays::takes_array(builtin, place) => self.array(argument)?,
                Expression::Regex(pattern) if takes_pattern => {
                    let regex = self.regex(pattern);
                    self.emit(Op::Regex(regex));
                }
                _ if matches!(
                    builtin,
                    Builtin::Length | Builtin::Isarray | Builtin::Typeof
                ) =>
                {
                    self.argument(argument, false)?;
                }
                argument => self.expression(argument)?,
            }
        }
        let mut count = arguments.len() as u32;
        if arguments.is_empty() && builtin == Builtin::Length
            || builtin == Builtin::Gensub && count == 3
        {
            self.emit(Op::FieldConstant(0));
            count += 1;
        }
        self.emit(Op::Builtin(builtin, count));
        Ok(())
    }

    fn substitute(
        &mut self,
        is_global: bool,
        pattern: &Expression,
        replacement: &Expression,
        target: Option<&Expression>,
    ) -> Result<(), Error> {
        let record = Expression::Field(Box::new(Expression::Number(0.0)));
        let target = target.unwrap_or(&record);
        let place = match target {
            Expression::Variable(_) | Expression::Field(_) | Expression::Index(..) => {
                Some(self.target(target)?)
            }
            _ => None,
        };
        match pattern {
            Expression::Regex(pattern) => {
                let regex = self.regex(pattern);
                self.emit(Op::Regex(regex));
            }
            pattern => self.expression(pattern)?,
        }
        self.expression(replacement)?;
        match place {
            Some(Target::Global(_) | Target::Local(_) | Target::Special(_)) => {
                self.expression(target)?
            }
            // The pieces lie below pattern and replacement; Peek looks there.
            Some(place) => {
                self.emit(Op::Peek(place));
            }
            None => self.expression(target)?,
        }
        self.emit(Op::Substitute(is_global));
        match place {
            Some(place) => self.store_got(place),
            None => {
                self.emit(Op::PushGotStatus);
            }
        }
        Ok(())
    }

    /// Stores the kept text in a target whose pieces are on the stack, if there is one, and pushes the status.
    fn store_got(&mut self, place: Target) {
        let skip = self.emit(Op::JumpUnlessGot(0));
        self.emit(Op::PushGotText);
        self.emit(Op::Set(place, false));
        let end = self.emit(Op::Jump(0));
        self.land(skip);
        if place.pieces() > 0 {
            self.emit(Op::Drop(place.pieces()));
        }
        self.land(end);
        self.emit(Op::PushGotStatus);
    }

    fn get_line(&mut self, source: &LineSource, target: Option<&Expression>) -> Result<(), Error> {
        let place = match target {
            Some(target) => Some(self.target(target)?),
            None => None,
        };
        let from = match source {
            LineSource::Main => LineFrom::Main,
            LineSource::File(name) => {
                self.expression(name)?;
                LineFrom::File
            }
            LineSource::Command(command) => {
                self.expression(command)?;
                LineFrom::Command
            }
            LineSource::Coprocess(command) => {
                self.expression(command)?;
                LineFrom::Coprocess
            }
        };
        self.emit(Op::GetLine(from, place.is_some()));
        match place {
            Some(place) => self.store_got(place),
            None => {
                self.emit(Op::PushGotStatus);
            }
        }
        Ok(())
    }
}

/// Returns whether evaluating it changes nothing, so that it may come before its neighbour.
fn is_without_effect(expression: &Expression) -> bool {
    let mut is = true;
    arrays::each_within(expression, &mut |inner| {
        is &= !matches!(
            inner,
            Expression::Assign(..)
                | Expression::Augment(..)
                | Expression::Increment { .. }
                | Expression::Call(..)
                | Expression::CallIndirect(..)
                | Expression::Line(..)
                | Expression::Builtin(
                    Builtin::Sub | Builtin::Gsub | Builtin::Split | Builtin::Match,
                    _
                )
        );
    });
    is
}
