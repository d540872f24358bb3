//! Expressions, by precedence: `?:` `||` `&&` `in` `~` comparison, concatenation, sums, products, signs, powers.

use crate::Error;
use crate::builtin::Builtin;
use crate::lexer::{Token, Word};
use crate::syntax::{Arithmetic, Comparison, Expression, LineSource};

use super::Parser;

impl Parser<'_> {
    /// Parses one or more expressions between commas.
    pub(super) fn expression_list(&mut self) -> Result<Vec<Expression>, Error> {
        let mut list = vec![self.expression()?];
        while self.accept(",")? {
            self.skip_newlines()?;
            list.push(self.expression()?);
        }
        Ok(list)
    }

    /// Parses an expression.
    pub(super) fn expression(&mut self) -> Result<Expression, Error> {
        self.deeper(Self::ternary)
    }

    fn ternary(&mut self) -> Result<Expression, Error> {
        let condition = self.or()?;
        let operator = match self.token {
            Token::Sign("?") => {
                self.advance()?;
                self.skip_newlines()?;
                let then = self.expression()?;
                self.skip_newlines()?;
                self.expect(":")?;
                self.skip_newlines()?;
                let otherwise = self.expression()?;
                return Ok(Expression::Conditional(
                    Box::new(condition),
                    Box::new(then),
                    Box::new(otherwise),
                ));
            }
            Token::Sign("=") => None,
            Token::Sign("+=") => Some(Arithmetic::Add),
            Token::Sign("-=") => Some(Arithmetic::Subtract),
            Token::Sign("*=") => Some(Arithmetic::Multiply),
            Token::Sign("/=") => Some(Arithmetic::Divide),
            Token::Sign("%=") => Some(Arithmetic::Remainder),
            Token::Sign("^=") => Some(Arithmetic::Power),
            _ => return Ok(condition),
        };
        self.assignment(condition, operator)
    }

    /// Parses the rest of an assignment. `a && x = 1` and `!x = 1` assign to the last operand, as yacc's grammar
    /// has it.
    fn assignment(
        &mut self,
        target: Expression,
        operator: Option<Arithmetic>,
    ) -> Result<Expression, Error> {
        match target {
            Expression::Variable(_) | Expression::Field(_) | Expression::Index(..) => {
                self.advance()?;
                self.skip_newlines()?;
                let value = Box::new(self.expression()?);
                let target = Box::new(target);
                Ok(match operator {
                    None => Expression::Assign(target, value),
                    Some(operator) => Expression::Augment(operator, target, value),
                })
            }
            Expression::And(left, right) => Ok(Expression::And(
                left,
                Box::new(self.assignment(*right, operator)?),
            )),
            Expression::Or(left, right) => Ok(Expression::Or(
                left,
                Box::new(self.assignment(*right, operator)?),
            )),
            Expression::Not(operand) => Ok(Expression::Not(Box::new(
                self.assignment(*operand, operator)?,
            ))),
            Expression::Negate(operand) => Ok(Expression::Negate(Box::new(
                self.assignment(*operand, operator)?,
            ))),
            Expression::Compare(kind, left, right) => Ok(Expression::Compare(
                kind,
                left,
                Box::new(self.assignment(*right, operator)?),
            )),
            Expression::Match(left, right) => Ok(Expression::Match(
                left,
                Box::new(self.assignment(*right, operator)?),
            )),
            _ => Err(self.unexpected()),
        }
    }

    fn or(&mut self) -> Result<Expression, Error> {
        let mut left = self.and()?;
        while self.accept("||")? {
            self.skip_newlines()?;
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, Error> {
        let mut left = self.membership()?;
        while self.accept("&&")? {
            self.skip_newlines()?;
            left = Expression::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Result<Expression, Error> {
        let mut left = self.matching()?;
        while self.is_word(Word::In) && !self.is_in_excluded {
            self.advance()?;
            let array = self.array_name()?;
            let keys = match left {
                Expression::List(keys) => keys,
                key => vec![key],
            };
            left = Expression::In(keys, Box::new(array));
        }
        Ok(left)
    }

    /// Parses what stands behind `in`: a name, or an element that is an array.
    fn array_name(&mut self) -> Result<Expression, Error> {
        let name = match self.advance()? {
            Token::Name(name) | Token::FunctionName(name) => name,
            _ => return Err(self.unexpected()),
        };
        self.subscripts(Expression::Variable(name))
    }

    fn matching(&mut self) -> Result<Expression, Error> {
        let mut left = self.comparison()?;
        loop {
            let is_negated = self.is("!~");
            if !is_negated && !self.is("~") {
                return Ok(left);
            }
            self.advance()?;
            let pattern = self.comparison()?;
            left = Expression::Match(Box::new(left), Box::new(pattern));
            if is_negated {
                left = Expression::Not(Box::new(left));
            }
        }
    }

    fn comparison(&mut self) -> Result<Expression, Error> {
        let mut left = self.concatenation()?;
        loop {
            let comparison = match self.token {
                Token::Sign("<") => Comparison::Less,
                Token::Sign("<=") => Comparison::LessOrEqual,
                Token::Sign("==") => Comparison::Equal,
                Token::Sign("!=") => Comparison::NotEqual,
                Token::Sign(">") if !self.is_greater_redirect => Comparison::Greater,
                Token::Sign(">=") => Comparison::GreaterOrEqual,
                _ => return Ok(left),
            };
            self.advance()?;
            let right = self.concatenation()?;
            left = Expression::Compare(comparison, Box::new(left), Box::new(right));
        }
    }

    /// Parses operands in a row, and `command | getline` behind them.
    pub(super) fn concatenation(&mut self) -> Result<Expression, Error> {
        let mut left = self.sum()?;
        loop {
            if self.begins_operand() {
                let right = self.sum()?;
                left = match left {
                    Expression::Concatenate(mut parts) => {
                        parts.push(right);
                        Expression::Concatenate(parts)
                    }
                    left => Expression::Concatenate(vec![left, right]),
                };
                continue;
            }
            let is_coprocess = self.is("|&");
            if !is_coprocess && !self.is("|") {
                return Ok(left);
            }
            // `|` belongs to a print, unless getline follows; only the next token tells.
            if !self.is_getline_next()? {
                return Ok(left);
            }
            self.advance()?;
            self.advance()?;
            let target = self.optional_target()?;
            let command = Box::new(left);
            let source = if is_coprocess {
                LineSource::Coprocess(command)
            } else {
                LineSource::Command(command)
            };
            left = Expression::Line(source, target);
        }
    }

    fn is_getline_next(&mut self) -> Result<bool, Error> {
        self.lexer.peek_is_getline()
    }

    fn begins_operand(&self) -> bool {
        match &self.token {
            Token::Number(_)
            | Token::Text(_)
            | Token::Name(_)
            | Token::FunctionName(_)
            | Token::Builtin(_)
            | Token::Sign("$" | "!" | "(" | "++" | "--" | "@") => true,
            // An operator behind an operand, never a regular expression.
            _ => false,
        }
    }

    fn sum(&mut self) -> Result<Expression, Error> {
        let mut left = self.product()?;
        loop {
            let operator = match self.token {
                Token::Sign("+") => Arithmetic::Add,
                Token::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expression, Error> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.token {
                Token::Sign("*") => Arithmetic::Multiply,
                Token::Sign("/") => Arithmetic::Divide,
                Token::Sign("%") => Arithmetic::Remainder,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Result<Expression, Error> {
        self.deeper(|parser| {
            if parser.accept("!")? {
                return Ok(Expression::Not(Box::new(parser.signed()?)));
            }
            if parser.accept("-")? {
                return Ok(match parser.signed()? {
                    Expression::Number(number) => Expression::Number(-number),
                    operand => Expression::Negate(Box::new(operand)),
                });
            }
            if parser.accept("+")? {
                return Ok(Expression::Plus(Box::new(parser.signed()?)));
            }
            parser.power()
        })
    }

    fn power(&mut self) -> Result<Expression, Error> {
        let base = self.postfix()?;
        if self.accept("^")? {
            let exponent = self.signed()?;
            return Ok(Expression::Binary(
                Arithmetic::Power,
                Box::new(base),
                Box::new(exponent),
            ));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Result<Expression, Error> {
        let operand = self.primary()?;
        if matches!(
            operand,
            Expression::Variable(_) | Expression::Field(_) | Expression::Index(..)
        ) {
            for (sign, step) in [("++", 1), ("--", -1)] {
                if self.accept(sign)? {
                    return Ok(Expression::Increment {
                        target: Box::new(operand),
                        step,
                        is_postfix: true,
                    });
                }
            }
        }
        Ok(operand)
    }

    /// Parses an operand that binds tightest.
    pub(super) fn primary(&mut self) -> Result<Expression, Error> {
        if self.is("/") || self.is("/=") {
            return self.regex();
        }
        if !self.begins_operand() && !self.is("-") && !self.is("+") && !self.is_word(Word::Getline)
        {
            return Err(self.unexpected());
        }
        match self.advance()? {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text)),
            Token::Sign("$") => {
                let index = self.deeper(|parser| {
                    for (sign, step) in [("++", 1), ("--", -1)] {
                        if parser.accept(sign)? {
                            let target = Box::new(parser.primary()?);
                            return Ok(Expression::Increment {
                                target,
                                step,
                                is_postfix: false,
                            });
                        }
                    }
                    if parser.accept("-")? {
                        return Ok(Expression::Negate(Box::new(parser.primary()?)));
                    }
                    if parser.accept("+")? {
                        return parser.primary();
                    }
                    if parser.accept("!")? {
                        return Ok(Expression::Not(Box::new(parser.primary()?)));
                    }
                    parser.primary()
                })?;
                Ok(Expression::Field(Box::new(index)))
            }
            Token::Sign(sign @ ("++" | "--")) => {
                let step = if sign == "++" { 1 } else { -1 };
                match self.deeper(Self::primary)? {
                    target @ (Expression::Variable(_)
                    | Expression::Field(_)
                    | Expression::Index(..)) => Ok(Expression::Increment {
                        target: Box::new(target),
                        step,
                        is_postfix: false,
                    }),
                    _ => Err(self.unexpected()),
                }
            }
            Token::Sign("(") => self.parentheses(),
            Token::Sign("-") => Ok(Expression::Negate(Box::new(self.signed()?))),
            Token::Sign("+") => Ok(Expression::Plus(Box::new(self.signed()?))),
            Token::Sign("!") => Ok(Expression::Not(Box::new(self.signed()?))),
            Token::Sign("@") if self.is("/") || self.is("/=") => match self.regex()? {
                Expression::Regex(pattern) => Ok(Expression::Text(pattern)),
                other => Ok(other),
            },
            Token::Sign("@") => match self.advance()? {
                Token::FunctionName(name) => Ok(Expression::CallIndirect(name, self.arguments()?)),
                _ => Err(self.unexpected()),
            },
            Token::Name(name) => self.subscripts(Expression::Variable(name)),
            Token::FunctionName(name) => {
                let line = self.lexer.token_line() as usize;
                Ok(Expression::Call(name, self.arguments()?, line))
            }
            Token::Builtin(builtin) => self.builtin(builtin),
            Token::Word(Word::Getline) => {
                let target = self.optional_target()?;
                if self.accept("<")? {
                    let file = self.deeper(Self::postfix)?;
                    return Ok(Expression::Line(LineSource::File(Box::new(file)), target));
                }
                Ok(Expression::Line(LineSource::Main, target))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Reads a regular expression; the current token is its `/`, or `/=`, behind which the lexer stands.
    pub(super) fn regex(&mut self) -> Result<Expression, Error> {
        let begun: &[u8] = if self.is("/=") { b"=" } else { b"" };
        let pattern = self.lexer.regex(begun)?;
        self.advance()?;
        Ok(Expression::Regex(pattern))
    }

    fn subscripts(&mut self, base: Expression) -> Result<Expression, Error> {
        let mut base = base;
        while self.accept("[")? {
            let outer = (
                std::mem::take(&mut self.is_in_excluded),
                std::mem::take(&mut self.is_greater_redirect),
            );
            self.skip_newlines()?;
            let keys = self.expression_list()?;
            self.skip_newlines()?;
            (self.is_in_excluded, self.is_greater_redirect) = outer;
            self.expect("]")?;
            base = Expression::Index(Box::new(base), keys);
        }
        Ok(base)
    }

    fn parentheses(&mut self) -> Result<Expression, Error> {
        let outer = (
            std::mem::take(&mut self.is_in_excluded),
            std::mem::take(&mut self.is_greater_redirect),
        );
        self.skip_newlines()?;
        let mut list = self.expression_list()?;
        self.skip_newlines()?;
        (self.is_in_excluded, self.is_greater_redirect) = outer;
        self.expect(")")?;
        if list.len() > 1 {
            return Ok(Expression::List(list));
        }
        let Some(inner) = list.pop() else {
            return Err(self.unexpected());
        };
        // `(x) = 1` is no assignment and `(a b) c` no list of three, but `(x)++`, `$(x)` are what they seem.
        Ok(match inner {
            Expression::Concatenate(_)
            | Expression::And(..)
            | Expression::Or(..)
            | Expression::Not(_)
            | Expression::Compare(..)
            | Expression::Match(..)
            | Expression::Negate(_) => Expression::Plain(Box::new(inner)),
            inner => inner,
        })
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Error> {
        let outer = (
            std::mem::take(&mut self.is_in_excluded),
            std::mem::take(&mut self.is_greater_redirect),
        );
        self.expect("(")?;
        self.skip_newlines()?;
        let list = if self.is(")") {
            Vec::new()
        } else {
            self.expression_list()?
        };
        self.skip_newlines()?;
        (self.is_in_excluded, self.is_greater_redirect) = outer;
        self.expect(")")?;
        Ok(list)
    }

    fn builtin(&mut self, builtin: Builtin) -> Result<Expression, Error> {
        let arguments = if self.is("(") {
            self.arguments()?
        } else if builtin == Builtin::Length {
            Vec::new()
        } else {
            return Err(self.unexpected());
        };
        if !builtin.takes(arguments.len()) {
            let what = format!(
                "{} is invalid as number of arguments for {}",
                arguments.len(),
                builtin.name()
            );
            return Err(self.lexer.error(&what));
        }
        Ok(Expression::Builtin(builtin, arguments))
    }

    fn optional_target(&mut self) -> Result<Option<Box<Expression>>, Error> {
        match &self.token {
            Token::Name(_) | Token::Sign("$") => Ok(Some(Box::new(self.primary()?))),
            _ => Ok(None),
        }
    }
}
