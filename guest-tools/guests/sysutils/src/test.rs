//! test and `[`: evaluates a condition.
//!
//! Up to four arguments mean what POSIX says they mean by their number; more are read as an expression with `-o`,
//! `-a`, `!` and parentheses, the loosest first.

use std::io::IsTerminal;
use std::path::Path;

use crate::quoting;
use crate::report::complain;
use crate::system::{self, Facts, Kind, Stat};

type Outcome = Result<bool, String>;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if program == "[" && words.pop() != Some("]") {
        complain(program, "missing ‘]’");
        return 2;
    }
    match evaluate(&words) {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(message) => {
            complain(program, message);
            2
        }
    }
}

fn evaluate(words: &[&str]) -> Outcome {
    match words {
        [] => Ok(false),
        [word] => Ok(!word.is_empty()),
        ["!", word] => Ok(word.is_empty()),
        [operator, operand] => match unary(operator, operand) {
            Some(outcome) => outcome,
            None if operator.len() == 2 && operator.starts_with('-') => Err(format!(
                "{}: unary operator expected",
                quoting::curly(operator)
            )),
            None => Err(format!(
                "missing argument after {}",
                quoting::curly(operand)
            )),
        },
        [left, operator, right] if is_binary(operator) => binary(left, operator, right),
        ["!", rest @ ..] if rest.len() < 4 => evaluate(rest).map(|is| !is),
        ["(", word, ")"] => Ok(!word.is_empty()),
        [left, operator, _] if !matches!(*left, "!" | "(") && unary(left, operator).is_none() => {
            Err(format!(
                "{}: binary operator expected",
                quoting::curly(operator)
            ))
        }
        ["(", left, right, ")"] => evaluate(&[left, right]),
        words => {
            let mut expression = Expression { words };
            let outcome = expression.any()?;
            match expression.words.first() {
                None => Ok(outcome),
                Some(extra) => Err(format!("extra argument {}", quoting::curly(extra))),
            }
        }
    }
}

struct Expression<'a, 'b> {
    words: &'a [&'b str],
}

impl<'b> Expression<'_, 'b> {
    fn next(&mut self) -> Option<&'b str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = self.words.first() == Some(&word);
        if is {
            self.next();
        }
        is
    }

    fn any(&mut self) -> Outcome {
        let mut outcome = self.all()?;
        while self.takes("-o") {
            outcome |= self.all()?;
        }
        Ok(outcome)
    }

    fn all(&mut self) -> Outcome {
        let mut outcome = self.one()?;
        while self.takes("-a") {
            outcome &= self.one()?;
        }
        Ok(outcome)
    }

    fn one(&mut self) -> Outcome {
        if let [left, operator, right, ..] = self.words
            && is_binary(operator)
            && !matches!(*operator, "-a" | "-o")
        {
            self.words = self.words.get(3..).unwrap_or(&[]);
            return binary(left, operator, right);
        }
        if self.words.len() > 1 && self.takes("!") {
            return self.one().map(|is| !is);
        }
        if self.words.len() > 1 && self.takes("(") {
            let outcome = self.any()?;
            return if self.takes(")") {
                Ok(outcome)
            } else {
                Err("')' expected".to_owned())
            };
        }
        if let [operator, operand, ..] = self.words
            && let Some(outcome) = unary(operator, operand)
        {
            self.words = self.words.get(2..).unwrap_or(&[]);
            return outcome;
        }
        match self.next() {
            Some(word) => Ok(!word.is_empty()),
            None => Err("argument expected".to_owned()),
        }
    }
}

/// Evaluates an operator with one operand; none if it is no operator.
fn unary(operator: &str, operand: &str) -> Option<Outcome> {
    let letter = operator.strip_prefix('-').filter(|rest| rest.len() == 1)?;
    let follow = !matches!(letter, "h" | "L");
    let file = |holds: &dyn Fn(&Stat) -> bool| {
        Some(Ok(
            system::stat(Path::new(operand), follow).is_ok_and(|status| holds(&status))
        ))
    };
    let mode = |bits: u32| file(&|status| status.mode & bits != 0);
    match letter {
        "n" => Some(Ok(!operand.is_empty())),
        "z" => Some(Ok(operand.is_empty())),
        "e" => file(&|_| true),
        "f" => file(&|status| status.kind == Kind::Regular),
        "d" => file(&Stat::is_directory),
        "h" | "L" => file(&|status| status.kind == Kind::Symlink),
        "p" => file(&|status| status.kind == Kind::Fifo),
        "S" => file(&|status| status.kind == Kind::Socket),
        "b" => file(&|status| status.kind == Kind::BlockDevice),
        "c" => file(&|status| status.kind == Kind::CharacterDevice),
        "s" => file(&|status| status.size > 0),
        // Root may read and write whatever the mode says.
        "r" if crate::owner::Owner::of_hand().id == 0 => file(&|_| true),
        "w" if crate::owner::Owner::of_hand().id == 0 => file(&|_| true),
        "r" => mode(0o400),
        "w" => mode(0o200),
        "x" => mode(0o111),
        "u" => mode(0o4000),
        "g" => mode(0o2000),
        "k" => mode(0o1000),
        // There is but one user and one group.
        "O" | "G" => file(&|_| true),
        "N" => file(&|status| status.modified > status.accessed),
        "t" => Some(match operand.parse::<i32>() {
            Ok(0) => Ok(std::io::stdin().is_terminal()),
            Ok(1) => Ok(std::io::stdout().is_terminal()),
            Ok(2) => Ok(std::io::stderr().is_terminal()),
            Ok(_) => Ok(false),
            Err(_) => Err(format!("invalid integer {}", quoting::curly(operand))),
        }),
        _ => None,
    }
}

fn is_binary(word: &str) -> bool {
    matches!(
        word,
        "=" | "=="
            | "!="
            | "-eq"
            | "-ne"
            | "-lt"
            | "-le"
            | "-gt"
            | "-ge"
            | "-nt"
            | "-ot"
            | "-ef"
            | "-a"
            | "-o"
    )
}

fn binary(left: &str, operator: &str, right: &str) -> Outcome {
    let times = || {
        let modified = |name: &str| {
            system::stat(Path::new(name), true)
                .ok()
                .map(|status| status.modified)
        };
        (modified(left), modified(right))
    };
    match operator {
        "=" | "==" => Ok(left == right),
        "!=" => Ok(left != right),
        "-a" => Ok(!left.is_empty() && !right.is_empty()),
        "-o" => Ok(!left.is_empty() || !right.is_empty()),
        // What is not there is older than all that is.
        "-nt" => Ok(times().0 > times().1),
        "-ot" => Ok(times().0 < times().1),
        "-ef" => {
            let status = |name: &str| system::stat(Path::new(name), true);
            Ok(
                matches!((status(left), status(right)), (Ok(left), Ok(right)) if left.is_same_file(&right)),
            )
        }
        _ => {
            let ordering = integer(left)?.cmp(&integer(right)?);
            Ok(match operator {
                "-eq" => ordering.is_eq(),
                "-ne" => ordering.is_ne(),
                "-lt" => ordering.is_lt(),
                "-le" => ordering.is_le(),
                "-gt" => ordering.is_gt(),
                _ => ordering.is_ge(),
            })
        }
    }
}

fn integer(text: &str) -> Result<i128, String> {
    if let Some(name) = text.strip_prefix("-l ") {
        return i128::try_from(name.len()).map_err(|error| error.to_string());
    }
    text.trim()
        .parse()
        .map_err(|_| format!("invalid integer {}", quoting::curly(text)))
}
