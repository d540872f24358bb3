//! The grammar of bc, from text to a tree. An expression that is wrong is only known to be wrong.

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Constant(String),
    Place(Place),
    /// A place, an operator or none, and the value.
    Assign(Place, Option<char>, Box<Expression>),
    /// A place, by how much it changes, and whether the old value counts.
    Step(Place, i64, bool),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Call(String, Vec<Argument>),
    /// In parentheses: its value is printed even if it assigns.
    Group(Box<Expression>),
}

#[derive(Clone, Debug)]
pub(super) enum Argument {
    Value(Expression),
    Array(String),
}

/// What can be assigned to.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Variable(String),
    Element(String, Box<Expression>),
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    Expression(Expression),
    Text(String),
    Print(Vec<Result<Expression, String>>),
    Block(Vec<Statement>),
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    While(Expression, Box<Statement>),
    For([Option<Expression>; 3], Box<Statement>),
    Break,
    Continue,
    Halt,
    Return(Option<Expression>),
    Define(String, Function),
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Function {
    /// Names, and whether they are arrays.
    pub(super) parameters: Vec<(String, bool)>,
    pub(super) locals: Vec<(String, bool)>,
    pub(super) body: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(String),
    Name(String),
    Text(String),
    Sign(&'static str),
    End,
}

const SIGNS: &[&str] = &[
    "<=", ">=", "==", "!=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "+", "-",
    "*", "/", "%", "^", "=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ",", ";", "\n", ".",
];

/// Splits text into tokens with their lines.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, usize> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let before = rest;
        if let Some(after) = rest.strip_prefix("\\\n") {
            rest = after;
        } else if first == ' ' || first == '\t' || first == '\r' {
            rest = rest.get(1..).unwrap_or("");
        } else if first == '#' {
            rest = rest
                .get(rest.find('\n').unwrap_or(rest.len())..)
                .unwrap_or("");
        } else if let Some(after) = rest.strip_prefix("/*") {
            rest = after.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some(after) = rest.strip_prefix('"') {
            let (text, after) = after.split_once('"').unwrap_or((after, ""));
            out.push((Token::Text(text.to_owned()), line));
            rest = after;
        } else {
            let is_part = |one: char| match first {
                'a'..='z' => one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_',
                _ => one.is_ascii_digit() || one.is_ascii_uppercase() || one == '.',
            };
            let length = rest.find(|one| !is_part(one)).unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            if first.is_ascii_lowercase() {
                out.push((Token::Name(word.to_owned()), line));
                rest = after;
            } else if !word.is_empty() && word != "." {
                if word.matches('.').count() > 1 {
                    return Err(line);
                }
                out.push((Token::Number(word.to_owned()), line));
                rest = after;
            } else {
                let sign = SIGNS
                    .iter()
                    .find(|sign| rest.starts_with(**sign))
                    .ok_or(line)?;
                out.push((Token::Sign(sign), line));
                rest = rest.get(sign.len()..).unwrap_or("");
            }
        }
        let used = before.get(..before.len() - rest.len()).unwrap_or("");
        line += used.matches('\n').count();
    }
    Ok(out)
}

/// Reads tokens; an error is only that there is one.
pub(super) struct Parser {
    pub(super) tokens: Vec<(Token, usize)>,
    pub(super) at: usize,
}

type Parsed<T> = Option<T>;

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        self.tokens
            .get(self.at)
            .map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let fits = matches!(self.peek(), Token::Sign(one) if *one == sign);
        self.at += usize::from(fits);
        fits
    }

    /// Returns whether the statement that was read is set apart from what follows; a closing brace does that too.
    pub(super) fn is_apart(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        matches!(before, Some((Token::Sign("}"), _)))
            || matches!(self.peek(), Token::Sign(";" | "\n") | Token::End)
    }

    fn needs(&mut self, sign: &str) -> Parsed<()> {
        self.takes(sign).then_some(())
    }

    fn skip_lines(&mut self) {
        while self.takes("\n") {}
    }

    fn name(&mut self) -> Parsed<String> {
        match self.next() {
            Token::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let word = match self.peek() {
            Token::Text(text) => {
                let text = text.clone();
                self.at += 1;
                return Some(Statement::Text(text));
            }
            Token::Sign("{") => {
                self.at += 1;
                return self.block().map(Statement::Block);
            }
            Token::Sign(";" | "\n") | Token::End => return Some(Statement::Nothing),
            Token::Name(name) => name.clone(),
            _ => String::new(),
        };
        self.at += 1;
        Some(match word.as_str() {
            "break" => Statement::Break,
            "continue" => Statement::Continue,
            "halt" => Statement::Halt,
            "return" => Statement::Return(match self.peek() {
                Token::Sign(";" | "\n" | "}") | Token::End => None,
                _ => Some(self.expression()?),
            }),
            "print" => {
                let mut parts = Vec::new();
                loop {
                    parts.push(match self.peek().clone() {
                        Token::Text(text) => {
                            self.at += 1;
                            Err(text)
                        }
                        _ => Ok(self.expression()?),
                    });
                    if !self.takes(",") {
                        return Some(Statement::Print(parts));
                    }
                }
            }
            "if" => {
                self.needs("(")?;
                let condition = self.expression()?;
                self.needs(")")?;
                self.skip_lines();
                let then = Box::new(self.statement()?);
                let mark = self.at;
                while self.takes(";") {}
                let other = if matches!(self.peek(), Token::Name(name) if name == "else") {
                    self.at += 1;
                    self.skip_lines();
                    Some(Box::new(self.statement()?))
                } else {
                    self.at = mark;
                    None
                };
                Statement::If(condition, then, other)
            }
            "while" => {
                self.needs("(")?;
                let condition = self.expression()?;
                self.needs(")")?;
                self.skip_lines();
                Statement::While(condition, Box::new(self.statement()?))
            }
            "for" => {
                self.needs("(")?;
                let mut parts = [None, None, None];
                for (part, end) in parts.iter_mut().zip([";", ";", ")"]) {
                    if !self.takes(end) {
                        *part = Some(self.expression()?);
                        self.needs(end)?;
                    }
                }
                self.skip_lines();
                Statement::For(parts, Box::new(self.statement()?))
            }
            "define" => self.define()?,
            _ => {
                self.at -= 1;
                Statement::Expression(self.expression()?)
            }
        })
    }

    fn block(&mut self) -> Parsed<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            while self.takes("\n") || self.takes(";") {}
            if self.takes("}") {
                return Some(statements);
            }
            if *self.peek() == Token::End {
                return None;
            }
            statements.push(self.statement()?);
            if !self.is_apart() && !matches!(self.peek(), Token::Sign("}")) {
                return None;
            }
        }
    }

    fn define(&mut self) -> Parsed<Statement> {
        let mut name = self.name()?;
        if name == "void" {
            name = self.name()?;
        }
        self.needs("(")?;
        let parameters = if self.takes(")") {
            Vec::new()
        } else {
            self.names(")")?
        };
        self.skip_lines();
        self.needs("{")?;
        self.skip_lines();
        let mut locals = Vec::new();
        if matches!(self.peek(), Token::Name(name) if name == "auto") {
            self.at += 1;
            locals = self.names("")?;
        }
        let body = self.block()?;
        Some(Statement::Define(
            name,
            Function {
                parameters,
                locals,
                body,
            },
        ))
    }

    fn names(&mut self, end: &str) -> Parsed<Vec<(String, bool)>> {
        let mut names = Vec::new();
        loop {
            let name = self.name()?;
            let is_array = self.takes("[");
            if is_array {
                self.needs("]")?;
            }
            names.push((name, is_array));
            if !self.takes(",") {
                break;
            }
        }
        if !end.is_empty() {
            self.needs(end)?;
        }
        Some(names)
    }

    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.binary(0)
    }

    /// Levels from loose to tight: `||`, `&&`, `!`, relations, assignment, sums, products, power.
    fn binary(&mut self, level: usize) -> Parsed<Expression> {
        const LEVELS: &[&[&str]] = &[
            &["||"],
            &["&&"],
            &[],
            &["<=", ">=", "==", "!=", "<", ">"],
            &[],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        match level {
            2 if self.takes("!") => return Some(Expression::Not(Box::new(self.binary(2)?))),
            4 => return self.assignment(),
            7 => return self.power(),
            _ => {}
        }
        let mut left = self.binary(level + 1)?;
        let signs = LEVELS.get(level).copied().unwrap_or(&[]);
        while let Token::Sign(sign) = *self.peek()
            && signs.contains(&sign)
        {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = Expression::Binary(sign, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn assignment(&mut self) -> Parsed<Expression> {
        let left = self.binary(5)?;
        let Token::Sign(sign) = *self.peek() else {
            return Some(left);
        };
        let operator = match sign {
            "=" => None,
            "+=" | "-=" | "*=" | "/=" | "%=" | "^=" => sign.chars().next(),
            _ => return Some(left),
        };
        let Expression::Place(place) = left else {
            return None;
        };
        self.at += 1;
        let value = Box::new(self.assignment()?);
        Some(Expression::Assign(place, operator, value))
    }

    fn power(&mut self) -> Parsed<Expression> {
        let base = self.unary()?;
        if self.takes("^") {
            let exponent = self.power()?;
            return Some(Expression::Binary("^", Box::new(base), Box::new(exponent)));
        }
        Some(base)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        if self.takes("-") {
            return Some(Expression::Negate(Box::new(self.unary()?)));
        }
        for (sign, by) in [("++", 1), ("--", -1)] {
            if self.takes(sign) {
                return match self.primary()? {
                    Expression::Place(place) => Some(Expression::Step(place, by, false)),
                    _ => None,
                };
            }
        }
        let value = self.primary()?;
        for (sign, by) in [("++", 1), ("--", -1)] {
            if let Expression::Place(place) = &value
                && self.takes(sign)
            {
                return Some(Expression::Step(place.clone(), by, true));
            }
        }
        Some(value)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.next() {
            Token::Number(text) => Some(Expression::Constant(text)),
            Token::Sign(".") => Some(Expression::Place(Place::Variable("last".to_owned()))),
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.needs(")")?;
                Some(Expression::Group(Box::new(inner)))
            }
            Token::Name(name) => {
                if self.takes("(") {
                    let mut arguments = Vec::new();
                    while !self.takes(")") {
                        if !arguments.is_empty() {
                            self.needs(",")?;
                        }
                        let mark = self.at;
                        if let Token::Name(array) = self.next()
                            && self.takes("[")
                            && self.takes("]")
                        {
                            arguments.push(Argument::Array(array));
                            continue;
                        }
                        self.at = mark;
                        arguments.push(Argument::Value(self.expression()?));
                    }
                    return Some(Expression::Call(name, arguments));
                }
                if self.takes("[") {
                    let index = Box::new(self.expression()?);
                    self.needs("]")?;
                    return Some(Expression::Place(Place::Element(name, index)));
                }
                Some(Expression::Place(Place::Variable(name)))
            }
            _ => None,
        }
    }
}
