//! From text to code, by precedence.
//!
//! The first thing that is wrong ends the code with [`Operation::Fail`], to which every open jump leads: what
//! was read before it is evaluated, as in bash.

use bstr::BString;

use super::operator::{Binary, Operation};
use super::token::{self, Lexeme, Token, Wrong};
use super::{Element, Expression, ExpressionError, Place};

/// Bounds nested parentheses and chains that recurse, which would exhaust the stack.
const NESTING_MAX: usize = 200;

/// Parses `text`; `nesting` counts the subscripts around it.
pub(super) fn expression(text: &[u8], nesting: usize) -> Expression {
    let start = text
        .iter()
        .take_while(|byte| token::is_blank(**byte))
        .count();
    let text = text.get(start..).unwrap_or_default();
    let nothing = Lexeme {
        token: Token::None,
        start: 0,
        end: 0,
    };
    let mut parser = Parser {
        text,
        current: nothing,
        last: Token::None,
        pointer: 0,
        code: Vec::new(),
        places: Vec::new(),
        open: Vec::new(),
        nesting,
    };
    let failure = match parser.whole() {
        Ok(()) => None,
        Err(wrong) => {
            let end = parser.code.len();
            parser.code.push(Operation::Fail);
            for at in std::mem::take(&mut parser.open) {
                parser.aim(at, end);
            }
            Some(Box::new(error(text, wrong)))
        }
    };
    Expression {
        code: parser.code,
        places: parser.places,
        text: BString::from(text),
        failure,
    }
}

/// Makes the message: the text may be cut behind a wrong number.
fn error(text: &[u8], wrong: Wrong) -> ExpressionError {
    let text = text
        .get(..wrong.cut.unwrap_or(text.len()))
        .unwrap_or_default();
    ExpressionError {
        expression: BString::from(text),
        message: wrong.message,
        token: BString::from(text.get(wrong.start..).unwrap_or_default()),
    }
}

struct Parser<'a> {
    text: &'a [u8],
    /// The token under view.
    current: Lexeme,
    /// The kind of what stands before it, where that decides whether an assignment is possible.
    last: Token,
    /// Where a message points: the start of the last token that is one.
    pointer: usize,
    code: Vec<Operation>,
    places: Vec<Place>,
    /// Jumps whose target is not known yet.
    open: Vec<usize>,
    nesting: usize,
}

impl Parser<'_> {
    fn wrong<T>(&self, message: &'static str) -> Result<T, Wrong> {
        Err(Wrong {
            message,
            start: self.pointer,
            cut: None,
        })
    }

    fn advance(&mut self) -> Result<(), Wrong> {
        let before = self.current.token;
        self.last = before;
        self.current = token::next(self.text, self.current.end, before)?;
        if self.current.token != Token::None {
            self.pointer = self.current.start;
        }
        Ok(())
    }

    /// Emits a jump; its target comes later.
    fn jump(&mut self, operation: Operation) -> usize {
        let at = self.code.len();
        self.code.push(operation);
        self.open.push(at);
        at
    }

    fn land(&mut self, at: usize) {
        self.open.retain(|open| *open != at);
        self.aim(at, self.code.len());
    }

    fn aim(&mut self, at: usize, end: usize) {
        if let Some(
            Operation::Jump(target)
            | Operation::JumpIfZero(target)
            | Operation::JumpIfNotZero(target),
        ) = self.code.get_mut(at)
        {
            *target = end;
        }
    }

    fn whole(&mut self) -> Result<(), Wrong> {
        if self.text.is_empty() {
            self.code.push(Operation::Number(0));
            return Ok(());
        }
        self.advance()?;
        self.comma()?;
        match self.current.token {
            Token::None => Ok(()),
            _ => self.wrong("syntax error in expression"),
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Wrong>) -> Result<T, Wrong> {
        if self.nesting >= NESTING_MAX {
            return self.wrong("expression recursion level exceeded");
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    fn comma(&mut self) -> Result<(), Wrong> {
        self.assignment()?;
        while self.current.token == Token::Comma {
            self.advance()?;
            self.code.push(Operation::Drop);
            self.assignment()?;
        }
        Ok(())
    }

    fn assignment(&mut self) -> Result<(), Wrong> {
        self.conditional()?;
        let (Token::Assign | Token::AssignWith(_)) = self.current.token else {
            return Ok(());
        };
        let token = self.current.token;
        if !matches!(self.last, Token::Name { .. }) {
            return self.wrong("attempted assignment to non-variable");
        }
        // The place was just loaded; what was emitted for that gives way.
        let Some(Operation::Load(place)) = self.code.pop() else {
            return self.wrong("attempted assignment to non-variable");
        };
        if let Token::AssignWith(_) = token {
            self.code.push(Operation::LoadHeld(place));
        }
        self.advance()?;
        self.nested(Self::assignment)?;
        match token {
            Token::AssignWith(operator) => {
                self.code.push(Operation::Binary(operator, self.pointer));
                self.code.push(Operation::StoreHeld(place));
            }
            _ => self.code.push(Operation::Store(place)),
        }
        self.last = Token::Number(0);
        Ok(())
    }

    fn conditional(&mut self) -> Result<(), Wrong> {
        self.or()?;
        if self.current.token != Token::Question {
            return Ok(());
        }
        let otherwise = self.jump(Operation::JumpIfZero(0));
        self.advance()?;
        if matches!(self.current.token, Token::None | Token::Colon) {
            return self.wrong("expression expected");
        }
        self.nested(Self::comma)?;
        if self.current.token != Token::Colon {
            return self.wrong("`:' expected for conditional expression");
        }
        let end = self.jump(Operation::Jump(0));
        self.land(otherwise);
        self.advance()?;
        if self.current.token == Token::None {
            return self.wrong("expression expected");
        }
        self.nested(Self::conditional)?;
        self.land(end);
        self.last = Token::Colon;
        Ok(())
    }

    fn or(&mut self) -> Result<(), Wrong> {
        self.and()?;
        while self.current.token == Token::Or {
            self.code.push(Operation::Truth);
            let right = self.jump(Operation::JumpIfZero(0));
            self.code.push(Operation::Number(1));
            let end = self.jump(Operation::Jump(0));
            self.land(right);
            self.advance()?;
            self.and()?;
            self.code.push(Operation::Truth);
            self.land(end);
            self.last = Token::Number(0);
        }
        Ok(())
    }

    fn and(&mut self) -> Result<(), Wrong> {
        self.binary(0)?;
        while self.current.token == Token::And {
            let right = self.jump(Operation::JumpIfNotZero(0));
            self.code.push(Operation::Number(0));
            let end = self.jump(Operation::Jump(0));
            self.land(right);
            self.advance()?;
            self.binary(0)?;
            self.code.push(Operation::Truth);
            self.land(end);
            self.last = Token::Number(0);
        }
        Ok(())
    }

    /// Reads operators that bind at least as tightly as `level`.
    fn binary(&mut self, level: u8) -> Result<(), Wrong> {
        self.unary()?;
        while let Token::Binary(operator) = self.current.token {
            let own = level_of(operator);
            if own < level {
                break;
            }
            let mut offset = self.current.end;
            self.advance()?;
            match operator {
                Binary::Power => self.nested(|parser| parser.binary(own))?,
                _ => self.binary(own + 1)?,
            }
            while self
                .text
                .get(offset)
                .is_some_and(|byte| token::is_blank(*byte))
            {
                offset += 1;
            }
            if operator == Binary::Power {
                offset = self.pointer;
            }
            self.code.push(Operation::Binary(operator, offset));
            self.last = Token::Number(0);
        }
        Ok(())
    }

    fn unary(&mut self) -> Result<(), Wrong> {
        let operation = match self.current.token {
            Token::Not => Some(Operation::Not),
            Token::Complement => Some(Operation::Complement),
            Token::Binary(Binary::Subtract) => Some(Operation::Negate),
            Token::Binary(Binary::Add) => None,
            _ => return self.operand(),
        };
        self.advance()?;
        self.nested(Self::unary)?;
        self.code.extend(operation);
        self.last = Token::Number(0);
        Ok(())
    }

    fn operand(&mut self) -> Result<(), Wrong> {
        match self.current.token {
            Token::PreIncrement | Token::PreDecrement => {
                let delta = if self.current.token == Token::PreIncrement {
                    1
                } else {
                    -1
                };
                self.advance()?;
                let Token::Name { name_end } = self.current.token else {
                    return self.wrong("identifier expected after pre-increment or pre-decrement");
                };
                // What is wrong right behind the name is found before the name is changed.
                token::next(self.text, self.current.end, self.current.token)?;
                let place = self.place(name_end);
                self.code.push(Operation::Step {
                    place,
                    delta,
                    is_postfix: false,
                });
                self.current.token = Token::Number(0);
                self.advance()
            }
            Token::Open => {
                self.advance()?;
                self.nested(Self::comma)?;
                if self.current.token != Token::Close {
                    return self.wrong("missing `)'");
                }
                self.advance()
            }
            Token::Number(value) => {
                self.code.push(Operation::Number(value));
                self.advance()
            }
            Token::Name { name_end } => {
                // What is wrong right behind a name is found before its value is.
                let place = self.place(name_end);
                self.advance()?;
                let delta = match self.current.token {
                    Token::PostIncrement => 1,
                    Token::PostDecrement => -1,
                    _ => {
                        self.code.push(Operation::Load(place));
                        return Ok(());
                    }
                };
                self.code.push(Operation::Step {
                    place,
                    delta,
                    is_postfix: true,
                });
                self.current.token = Token::Number(0);
                self.advance()
            }
            _ => self.wrong("syntax error: operand expected"),
        }
    }

    fn place(&mut self, name_end: usize) -> usize {
        let slice = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let Lexeme { start, end, .. } = self.current;
        let subscript = (end > name_end).then(|| {
            let text = slice(name_end + 1, end.saturating_sub(1));
            Box::new(Element {
                text: BString::from(text),
                index: self.index(text),
            })
        });
        let name = slice(start, name_end);
        if let (None, Some(known)) = (
            &subscript,
            self.places
                .iter()
                .take(16)
                .position(|place| place.name == name && place.subscript.is_none()),
        ) {
            return known;
        }
        self.places.push(Place {
            name: BString::from(name),
            subscript,
            offset: start,
        });
        self.places.len() - 1
    }

    fn index(&self, text: &[u8]) -> Expression {
        if self.nesting < NESTING_MAX {
            return expression(text, self.nesting + 1);
        }
        let wrong = Wrong {
            message: "expression recursion level exceeded",
            start: 0,
            cut: None,
        };
        Expression {
            code: vec![Operation::Fail],
            places: Vec::new(),
            text: BString::from(text),
            failure: Some(Box::new(error(text, wrong))),
        }
    }
}

fn level_of(operator: Binary) -> u8 {
    match operator {
        Binary::Or => 1,
        Binary::ExclusiveOr => 2,
        Binary::And => 3,
        Binary::Equal | Binary::NotEqual => 4,
        Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => 5,
        Binary::ShiftLeft | Binary::ShiftRight => 6,
        Binary::Add | Binary::Subtract => 7,
        Binary::Multiply | Binary::Divide | Binary::Remainder => 8,
        Binary::Power => 9,
    }
}
