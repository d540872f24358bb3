//! Parses program text into a tree: rules, functions and statements here, expressions in `expression`.
//!
//! Nesting is bounded, since the parser calls itself: a program nested deeper is refused with a message.

mod expression;

use crate::Error;
use crate::lexer::{Lexer, Source, Token, Word};
use crate::syntax::{Block, Case, Expression, Function, Pattern, Redirect, Rule, Statement, Tree};

/// How deep statements and expressions may nest. More would overflow the stack of a Wasm instance.
const NESTING_MAX: u32 = 250;

/// The parser over one source; several sources fill one tree.
pub struct Parser<'a> {
    lexer: Lexer,
    token: Token,
    tree: &'a mut Tree,
    nesting: u32,
    /// Whether `>` ends an expression, as it does in a print without parentheses.
    is_greater_redirect: bool,
    /// Whether `in` ends an expression, as in the head of a for loop.
    is_in_excluded: bool,
    loops: u32,
    switches: u32,
    is_in_function: bool,
}

/// Parses a source and adds what it holds to the tree.
pub fn parse(source: Source, tree: &mut Tree) -> Result<(), Error> {
    let mut parser = Parser {
        lexer: Lexer::new(source),
        token: Token::Newline,
        tree,
        nesting: 0,
        is_greater_redirect: false,
        is_in_excluded: false,
        loops: 0,
        switches: 0,
        is_in_function: false,
    };
    parser.advance()?;
    parser.program()
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, Error> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn is(&self, sign: &str) -> bool {
        matches!(&self.token, Token::Sign(text) if *text == sign)
    }

    fn is_word(&self, word: Word) -> bool {
        self.token == Token::Word(word)
    }

    fn accept(&mut self, sign: &str) -> Result<bool, Error> {
        if self.is(sign) {
            self.advance()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn expect(&mut self, sign: &str) -> Result<(), Error> {
        if self.accept(sign)? {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> Error {
        match self.token {
            Token::Newline | Token::End => self.lexer.error("unexpected newline or end of string"),
            _ => self.lexer.error("syntax error"),
        }
    }

    fn skip_newlines(&mut self) -> Result<(), Error> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    fn skip_terminators(&mut self) -> Result<(), Error> {
        while self.token == Token::Newline || self.is(";") {
            self.advance()?;
        }
        Ok(())
    }

    fn deeper<R>(&mut self, parse: impl FnOnce(&mut Self) -> Result<R, Error>) -> Result<R, Error> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(self.lexer.message("program is nested too deep"));
        }
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    fn program(&mut self) -> Result<(), Error> {
        loop {
            self.skip_terminators()?;
            match &self.token {
                Token::End => return Ok(()),
                Token::Word(Word::Function) => self.function()?,
                _ => self.rule()?,
            }
        }
    }

    fn function(&mut self) -> Result<(), Error> {
        self.advance()?;
        let name = match self.advance()? {
            Token::Name(name) | Token::FunctionName(name) => name,
            _ => return Err(self.lexer.error("syntax error")),
        };
        if self
            .tree
            .functions
            .iter()
            .any(|function| function.name == name)
        {
            return Err(self
                .lexer
                .message(&format!("function name `{name}' previously defined")));
        }
        self.expect("(")?;
        let mut parameters: Vec<String> = Vec::new();
        while !self.is(")") {
            let Token::Name(parameter) = self.advance()? else {
                return Err(self.unexpected());
            };
            if parameter == name {
                return Err(self.lexer.message(&format!(
                    "function `{name}': cannot use function name as parameter name"
                )));
            }
            if parameters.contains(&parameter) {
                return Err(self.lexer.message(&format!(
                    "function `{name}': duplicate parameter `{parameter}'"
                )));
            }
            parameters.push(parameter);
            if !self.accept(",")? {
                break;
            }
            self.skip_newlines()?;
        }
        self.expect(")")?;
        self.skip_newlines()?;
        self.is_in_function = true;
        let body = self.braces()?;
        self.is_in_function = false;
        self.tree.functions.push(Function {
            name,
            parameters,
            body,
        });
        Ok(())
    }

    fn rule(&mut self) -> Result<(), Error> {
        if let Token::Word(word @ (Word::Begin | Word::End | Word::BeginFile | Word::EndFile)) =
            self.token
        {
            self.advance()?;
            if !self.is("{") {
                return Err(self
                    .lexer
                    .message("each rule must have a pattern or an action part"));
            }
            let body = self.braces()?;
            match word {
                Word::Begin => self.tree.begin.push(body),
                Word::End => self.tree.end.push(body),
                Word::BeginFile => self.tree.begin_file.push(body),
                _ => self.tree.end_file.push(body),
            }
            return Ok(());
        }
        let line = self.lexer.token_line();
        let pattern = if self.is("{") {
            Pattern::Always
        } else {
            let first = self.expression()?;
            if self.accept(",")? {
                self.skip_newlines()?;
                Pattern::Range(first, self.expression()?)
            } else {
                Pattern::When(first)
            }
        };
        let action = match &self.token {
            Token::Sign("{") => Some(self.braces()?),
            Token::Newline | Token::End | Token::Sign(";") => None,
            _ => return Err(self.unexpected()),
        };
        self.tree.rules.push(Rule {
            pattern,
            action,
            line,
        });
        Ok(())
    }

    fn braces(&mut self) -> Result<Block, Error> {
        self.expect("{")?;
        let mut block = Block::new();
        loop {
            self.skip_terminators()?;
            if self.accept("}")? {
                return Ok(block);
            }
            if self.token == Token::End {
                return Err(self.unexpected());
            }
            let line = self.lexer.token_line();
            block.push((self.statement()?, line));
        }
    }

    /// Parses the body of a loop or branch.
    fn body(&mut self) -> Result<Block, Error> {
        self.skip_newlines()?;
        if self.is("{") {
            return self.deeper(Self::braces);
        }
        if self.accept(";")? {
            return Ok(Block::new());
        }
        let line = self.lexer.token_line();
        Ok(vec![(self.statement()?, line)])
    }

    /// Takes what ends a simple statement.
    fn end_simple(&mut self) -> Result<(), Error> {
        match &self.token {
            Token::Newline | Token::Sign(";") => {
                self.advance()?;
                Ok(())
            }
            Token::Sign("}") | Token::End => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    fn statement(&mut self) -> Result<Statement, Error> {
        self.deeper(Self::statement_inner)
    }

    fn statement_inner(&mut self) -> Result<Statement, Error> {
        match self.token {
            Token::Sign("{") => Ok(Statement::Block(self.braces()?)),
            Token::Word(Word::If) => self.if_statement(),
            Token::Word(Word::While) => {
                self.advance()?;
                let condition = self.parenthesised()?;
                if self.accept(";")? {
                    return Ok(Statement::While(condition, Block::new()));
                }
                Ok(Statement::While(condition, self.loop_body()?))
            }
            Token::Word(Word::Do) => {
                self.advance()?;
                let body = self.loop_body()?;
                self.skip_terminators()?;
                if !self.is_word(Word::While) {
                    return Err(self.unexpected());
                }
                self.advance()?;
                let condition = self.parenthesised()?;
                self.end_simple()?;
                Ok(Statement::DoWhile(body, condition))
            }
            Token::Word(Word::For) => self.for_statement(),
            Token::Word(Word::Switch) => self.switch_statement(),
            _ => {
                let statement = self.simple_statement()?;
                self.end_simple()?;
                Ok(statement)
            }
        }
    }

    fn loop_body(&mut self) -> Result<Block, Error> {
        self.loops += 1;
        let body = self.body();
        self.loops -= 1;
        body
    }

    fn parenthesised(&mut self) -> Result<Expression, Error> {
        self.expect("(")?;
        let condition = self.expression()?;
        self.expect(")")?;
        Ok(condition)
    }

    fn if_statement(&mut self) -> Result<Statement, Error> {
        self.advance()?;
        let condition = self.parenthesised()?;
        let then = self.body()?;
        // `else` may stand behind newlines and one `;`. If there is none, what was skipped ended the statement.
        self.skip_terminators()?;
        let otherwise = if self.is_word(Word::Else) {
            self.advance()?;
            Some(self.body()?)
        } else {
            None
        };
        Ok(Statement::If(condition, then, otherwise))
    }

    fn for_statement(&mut self) -> Result<Statement, Error> {
        self.advance()?;
        self.expect("(")?;
        self.is_in_excluded = true;
        let first = if self.is(";") {
            None
        } else {
            Some(self.simple_statement()?)
        };
        self.is_in_excluded = false;
        if self.is_word(Word::In) {
            self.advance()?;
            let array = self.expression()?;
            self.expect(")")?;
            let Some(Statement::Expression(key)) = first else {
                return Err(self.unexpected());
            };
            if !matches!(array, Expression::Variable(_) | Expression::Index(..)) {
                return Err(self.unexpected());
            }
            return match key {
                Expression::Variable(_) | Expression::Index(..) | Expression::Field(_) => {
                    if self.accept(";")? {
                        return Ok(Statement::ForIn(key, array, Block::new()));
                    }
                    Ok(Statement::ForIn(key, array, self.loop_body()?))
                }
                _ => Err(self.unexpected()),
            };
        }
        self.expect(";")?;
        self.skip_newlines()?;
        let condition = if self.is(";") {
            None
        } else {
            Some(self.expression()?)
        };
        self.expect(";")?;
        self.skip_newlines()?;
        let step = if self.is(")") {
            None
        } else {
            Some(self.simple_statement()?)
        };
        self.expect(")")?;
        let body = if self.accept(";")? {
            Block::new()
        } else {
            self.loop_body()?
        };
        Ok(Statement::For(
            first.map(Box::new),
            condition,
            step.map(Box::new),
            body,
        ))
    }

    fn switch_statement(&mut self) -> Result<Statement, Error> {
        self.advance()?;
        let subject = self.parenthesised()?;
        self.skip_newlines()?;
        self.expect("{")?;
        self.switches += 1;
        let mut cases: Vec<(Case, Block)> = Vec::new();
        loop {
            self.skip_terminators()?;
            if self.accept("}")? {
                break;
            }
            if self.is_word(Word::Case) {
                self.advance()?;
                let label = self.case_label()?;
                cases.push((Case::Is(label), Block::new()));
            } else if self.is_word(Word::Default) {
                self.advance()?;
                cases.push((Case::Default, Block::new()));
            } else {
                let line = self.lexer.token_line();
                let statement = self.statement()?;
                match cases.last_mut() {
                    Some((_, block)) => block.push((statement, line)),
                    None => return Err(self.unexpected()),
                }
                continue;
            }
            self.expect(":")?;
        }
        self.switches -= 1;
        Ok(Statement::Switch(subject, cases))
    }

    fn case_label(&mut self) -> Result<Expression, Error> {
        let negative = self.is("-");
        if negative || self.is("+") {
            self.advance()?;
        }
        if self.is("/") || self.is("/=") {
            return self.regex();
        }
        match self.advance()? {
            Token::Number(number) => {
                Ok(Expression::Number(if negative { -number } else { number }))
            }
            Token::Text(text) => Ok(Expression::Text(text)),
            _ => Err(self.unexpected()),
        }
    }

    fn simple_statement(&mut self) -> Result<Statement, Error> {
        let Token::Word(word) = self.token else {
            return Ok(Statement::Expression(self.expression()?));
        };
        match word {
            Word::Print | Word::Printf => self.print_statement(),
            Word::Next | Word::NextFile => {
                self.advance()?;
                Ok(if word == Word::Next {
                    Statement::Next
                } else {
                    Statement::NextFile
                })
            }
            Word::Break | Word::Continue => {
                let is_placed = self.loops > 0 || (word == Word::Break && self.switches > 0);
                if !is_placed {
                    let name = if word == Word::Break {
                        "break"
                    } else {
                        "continue"
                    };
                    return Err(self
                        .lexer
                        .message(&format!("`{name}' is not allowed outside a loop or switch")));
                }
                self.advance()?;
                Ok(if word == Word::Break {
                    Statement::Break
                } else {
                    Statement::Continue
                })
            }
            Word::Exit | Word::Return => {
                if word == Word::Return && !self.is_in_function {
                    return Err(self.lexer.message("`return' used outside function context"));
                }
                self.advance()?;
                let value = match self.token {
                    Token::Newline | Token::End | Token::Sign(";" | "}") => None,
                    _ => Some(self.expression()?),
                };
                Ok(if word == Word::Exit {
                    Statement::Exit(value)
                } else {
                    Statement::Return(value)
                })
            }
            Word::Delete => {
                self.advance()?;
                let is_parenthesised = self.accept("(")?;
                let target = self.primary()?;
                if is_parenthesised {
                    self.expect(")")?;
                }
                match target {
                    Expression::Variable(_) | Expression::Index(..) => {
                        Ok(Statement::Delete(target))
                    }
                    _ => Err(self.unexpected()),
                }
            }
            Word::Getline => Ok(Statement::Expression(self.expression()?)),
            _ => Err(self.unexpected()),
        }
    }

    fn print_statement(&mut self) -> Result<Statement, Error> {
        let is_print = self.is_word(Word::Print);
        self.advance()?;
        let was_redirect = std::mem::replace(&mut self.is_greater_redirect, true);
        let mut values = match self.token {
            Token::Newline | Token::End | Token::Sign(";" | "}" | ">" | ">>" | "|" | "|&") => {
                Vec::new()
            }
            _ => self.expression_list()?,
        };
        if let [Expression::List(list)] = values.as_mut_slice() {
            values = std::mem::take(list);
        }
        let redirect = match self.token {
            Token::Sign(">") => Some(Redirect::Truncate),
            Token::Sign(">>") => Some(Redirect::Append),
            Token::Sign("|") => Some(Redirect::Pipe),
            Token::Sign("|&") => Some(Redirect::Coprocess),
            _ => None,
        };
        let redirect = match redirect {
            Some(redirect) => {
                self.advance()?;
                Some((redirect, self.concatenation()?))
            }
            None => None,
        };
        self.is_greater_redirect = was_redirect;
        if is_print {
            return Ok(Statement::Print(values, redirect));
        }
        if values.is_empty() {
            return Err(self.lexer.message("fatal: printf: no arguments"));
        }
        Ok(Statement::Printf(values, redirect))
    }
}
