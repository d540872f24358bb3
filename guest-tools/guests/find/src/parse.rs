//! The command line of `find`: options, roots, and the expression.

mod test;

use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::expression::{Expression, Follow, Nanoseconds, Search};
use crate::messages::quoted;
use crate::output::Outputs;

/// How deep parentheses may nest; the parser calls itself.
const NESTING_MAX: u32 = 200;

/// What the command line asks for.
pub enum Parsed {
    /// A search.
    Search(Box<Search>),
    /// A text on standard output.
    Show(String),
}

/// The parser's state: the words that are left and what was found besides the expression.
struct Parser<'a> {
    words: std::iter::Peekable<std::slice::Iter<'a, String>>,
    search: Search,
    /// Whether an action stands in the expression, so that `-print` is not added.
    has_action: bool,
    /// The last predicate that takes a pattern, for a hint about unquoted patterns.
    last_pattern: Option<&'a str>,
    regex_type: &'static str,
    now: Nanoseconds,
    is_day_start: bool,
    nesting: u32,
    shown: Option<String>,
}

/// Parses the arguments behind the name.
pub fn parse(arguments: &[String]) -> Result<Parsed, String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_nanos() as Nanoseconds);
    let mut parser = Parser {
        words: arguments.iter().peekable(),
        search: Search {
            roots: Vec::new(),
            expression: Expression::True,
            follow: Follow::Never,
            depth_min: 0,
            depth_max: usize::MAX,
            is_contents_first: false,
            is_one_device: false,
            ignores_races: false,
            output: Outputs::default(),
            batches: 0,
        },
        has_action: false,
        last_pattern: None,
        regex_type: "emacs",
        now,
        is_day_start: false,
        nesting: 0,
        shown: None,
    };
    parser.options()?;
    parser.roots()?;
    let expression = parser.whole()?;
    if let Some(text) = parser.shown {
        return Ok(Parsed::Show(text));
    }
    let mut search = parser.search;
    search.expression = if parser.has_action {
        expression
    } else {
        Expression::And(vec![expression, Expression::Print(0, b'\n')])
    };
    Ok(Parsed::Search(Box::new(search)))
}

fn begins_expression(word: &str) -> bool {
    (word.starts_with('-') && word.len() > 1) || matches!(word, "(" | ")" | "," | "!")
}

impl<'a> Parser<'a> {
    /// `-H`, `-L`, `-P`, `-D`, `-O`: before the roots.
    fn options(&mut self) -> Result<(), String> {
        while let Some(word) = self.words.peek() {
            match word.as_str() {
                "-H" => self.search.follow = Follow::Arguments,
                "-L" => self.search.follow = Follow::Always,
                "-P" => self.search.follow = Follow::Never,
                "-D" => {
                    self.words.next();
                    if self.words.peek().is_none() {
                        return Err("Missing argument after the -D option.".to_owned());
                    }
                }
                "--" => {
                    self.words.next();
                    return Ok(());
                }
                level
                    if level
                        .strip_prefix("-O")
                        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) => {}
                _ => return Ok(()),
            }
            self.words.next();
        }
        Ok(())
    }

    fn roots(&mut self) -> Result<(), String> {
        while let Some(word) = self.words.next_if(|word| !begins_expression(word)) {
            self.search.roots.push(word.clone());
        }
        if self.words.next_if(|word| *word == "-files0-from").is_some() {
            return self.roots_from_file();
        }
        if self.search.roots.is_empty() {
            self.search.roots.push(".".to_owned());
        }
        Ok(())
    }

    /// `-files0-from`: the roots are in a file, each with a NUL behind it.
    fn roots_from_file(&mut self) -> Result<(), String> {
        let Some(file) = self.words.next() else {
            return Err("missing argument to `-files0-from'".to_owned());
        };
        if let Some(root) = self.search.roots.first() {
            return Err(format!(
                "extra operand {}\nfind: file operands cannot be combined with -files0-from",
                quoted(root)
            ));
        }
        let mut bytes = Vec::new();
        let outcome = if file == "-" {
            std::io::stdin().read_to_end(&mut bytes).map(|_| ())
        } else {
            std::fs::read(file).map(|read| bytes = read)
        };
        outcome.map_err(|error| {
            let reason = process::Errno::from(&error).words();
            format!("cannot open {} for reading: {reason}", quoted(file))
        })?;
        for root in bytes
            .split(|byte| *byte == 0)
            .filter(|root| !root.is_empty())
        {
            self.search
                .roots
                .push(String::from_utf8_lossy(root).into_owned());
        }
        Ok(())
    }

    fn whole(&mut self) -> Result<Expression, String> {
        if self.words.peek().is_none() {
            return Ok(Expression::True);
        }
        let expression = self.list()?;
        match self.words.next() {
            None => Ok(expression),
            Some(word) if word == ")" => Err("you have too many ')'".to_owned()),
            Some(word) => Err(self.stray(word)),
        }
    }

    /// Returns the message for a word that is no part of an expression.
    fn stray(&self, word: &str) -> String {
        let mut message = format!("paths must precede expression: `{word}'");
        if let Some(pattern) = self.last_pattern
            && std::fs::symlink_metadata(word).is_ok()
        {
            message.push_str(&format!(
                "\nfind: possible unquoted pattern after predicate `{pattern}'?"
            ));
        }
        message
    }

    fn list(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.or()?];
        while self.words.next_if(|word| *word == ",").is_some() {
            if self.is_at_end() {
                return Err("expected an expression after ','".to_owned());
            }
            parts.push(self.or()?);
        }
        Ok(single(parts, Expression::List))
    }

    fn or(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.and()?];
        while let Some(operator) = self.words.next_if(|word| *word == "-o" || *word == "-or") {
            if self.is_at_end() {
                return Err(format!("expected an expression after '{operator}'"));
            }
            parts.push(self.and()?);
        }
        Ok(single(parts, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.not()?];
        loop {
            if let Some(operator) = self.words.next_if(|word| *word == "-a" || *word == "-and") {
                if self.is_at_end() {
                    return Err(format!("expected an expression after '{operator}'"));
                }
                parts.push(self.not()?);
                continue;
            }
            match self.words.peek().map(|word| word.as_str()) {
                None | Some("-o" | "-or" | "," | ")") => return Ok(single(parts, Expression::And)),
                Some(_) => parts.push(self.not()?),
            }
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.words.peek().is_none()
    }

    fn not(&mut self) -> Result<Expression, String> {
        let mut is_negated = false;
        while let Some(operator) = self.words.next_if(|word| *word == "!" || *word == "-not") {
            is_negated = !is_negated;
            if self.is_at_end() {
                return Err(format!("expected an expression after '{operator}'"));
            }
        }
        let inner = self.primary()?;
        Ok(if is_negated {
            Expression::Not(Box::new(inner))
        } else {
            inner
        })
    }

    fn primary(&mut self) -> Result<Expression, String> {
        let Some(word) = self.words.next() else {
            return Ok(Expression::True);
        };
        match word.as_str() {
            "(" => {
                self.nesting += 1;
                if self.nesting > NESTING_MAX {
                    return Err("the expression is nested too deep".to_owned());
                }
                match self.words.peek().map(|word| word.as_str()) {
                    Some(")") => {
                        return Err(
                            "invalid expression; empty parentheses are not allowed.".to_owned()
                        );
                    }
                    None => {
                        return Err("invalid expression; expected to find a ')' but didn't see one. Perhaps you need an extra predicate after '('".to_owned());
                    }
                    Some(_) => {}
                }
                let inner = self.list()?;
                self.nesting -= 1;
                if self.words.next_if(|word| *word == ")").is_none() {
                    return Err(
                        "invalid expression; I was expecting to find a ')' somewhere but did not see one.".to_owned()
                    );
                }
                Ok(inner)
            }
            ")" => Err("invalid expression; you have too many ')'".to_owned()),
            operator @ ("-a" | "-and" | "-o" | "-or" | ",") => Err(format!(
                "invalid expression; you have used a binary operator '{operator}' with nothing before it."
            )),
            name if name.starts_with('-') => self.predicate(name),
            stray => Err(self.stray(stray)),
        }
    }

    /// Returns the argument of a predicate.
    fn argument(&mut self, name: &str) -> Result<&'a str, String> {
        self.words
            .next()
            .map(String::as_str)
            .ok_or_else(|| format!("missing argument to `{name}'"))
    }

    fn depth(&mut self, name: &str) -> Result<usize, String> {
        let text = self.argument(name)?;
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(depth) if is_number => Ok(depth),
            _ => Err(format!(
                "Expected a positive decimal integer argument to {name}, but got {}",
                quoted(text)
            )),
        }
    }
}

fn single(
    mut parts: Vec<Expression>,
    many: impl FnOnce(Vec<Expression>) -> Expression,
) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(part)) => part,
        (_, Some(last)) => {
            parts.push(last);
            many(parts)
        }
        (_, None) => Expression::True,
    }
}
