//! `[[ ... ]]`.

use bash_syntax::ast::{BinaryTest, Condition, Word};
use bash_text::pattern::{Options, Pattern};
use bash_text::test;
use bstr::BString;
use posix_regex::{Regex, Syntax};

use super::facts::World;
use crate::expansion::{Context, Fragment};
use crate::runtime::LocalFuture;
use crate::state::{Outcome, SetOption, Shell, Shopt, Stop};
use crate::variables::{IndexedArray, Value};

/// Evaluates a conditional command.
pub async fn execute(shell: &mut Shell, condition: &Condition) -> Outcome {
    match holds(shell, condition).await {
        Ok(holds) => Ok(u8::from(!holds)),
        Err(Wrong::Stop(stop)) => Err(stop),
        Err(Wrong::Status(status)) => Ok(status),
    }
}

/// Why a condition has no answer.
enum Wrong {
    Stop(Stop),
    Status(u8),
}

impl From<Stop> for Wrong {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

fn holds<'a>(
    shell: &'a mut Shell,
    condition: &'a Condition,
) -> LocalFuture<'a, Result<bool, Wrong>> {
    Box::pin(async move {
        match condition {
            Condition::And(parts) => {
                for part in parts {
                    if !holds(shell, part).await? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(parts) => {
                for part in parts {
                    if holds(shell, part).await? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(part) => Ok(!holds(shell, part).await?),
            Condition::Group(part) => holds(shell, part).await,
            Condition::NotEmpty(word) => {
                let text = shell.expand_text(word, Context::SINGLE).await?;
                trace(shell, &[b"-n", &text]).await?;
                Ok(!text.is_empty())
            }
            Condition::Unary { test, operand } => {
                let text = shell.expand_text(operand, Context::SINGLE).await?;
                let operator = [b'-', test.0];
                trace(shell, &[&operator, &text]).await?;
                test::unary(&operator, &text, &mut World { shell }).map_err(|error| {
                    shell.report(format_args!("[[: {error}"));
                    Wrong::Status(2)
                })
            }
            Condition::Binary { test, left, right } => binary(shell, *test, left, right).await,
        }
    })
}

async fn trace(shell: &mut Shell, parts: &[&[u8]]) -> Result<(), Stop> {
    if !shell.options.has(SetOption::XTrace) {
        return Ok(());
    }
    // Operands stand as they are, only an empty one is quoted.
    let mut line = BString::from("[[");
    for part in parts {
        line.push(b' ');
        line.extend_from_slice(if part.is_empty() { b"''" } else { part });
    }
    line.extend_from_slice(b" ]]");
    shell.trace(&line).await
}

async fn binary(
    shell: &mut Shell,
    test: BinaryTest,
    left: &Word,
    right: &Word,
) -> Result<bool, Wrong> {
    let left = shell.expand_text(left, Context::SINGLE).await?;
    let ignore_case = shell.options.has_shopt(Shopt::NoCaseMatch);
    let expanded = shell.expand(right, Context::SINGLE).await?;
    let right = expanded.joined();
    trace(shell, &[&left, test.text().as_bytes(), &right]).await?;
    let integer = |shell: &mut Shell, text: &[u8]| {
        shell.evaluate(text).map_err(|refusal| match refusal {
            crate::state::Refusal::Unbound(_) => Wrong::Stop(shell.refused(&refusal)),
            _ => {
                shell.report(format_args!("[[: {refusal}"));
                Wrong::Status(1)
            }
        })
    };
    Ok(match test {
        BinaryTest::Matches { .. } | BinaryTest::MatchesNot => {
            let options = Options {
                extglob: true,
                ignore_case,
            };
            let is_match = Pattern::compile(&expanded.pieces(), options).matches(&left);
            is_match == matches!(test, BinaryTest::Matches { .. })
        }
        BinaryTest::Regex => {
            let pattern = regex_text(&expanded.fragments);
            return regex(shell, &left, &pattern, ignore_case);
        }
        BinaryTest::Before => left < right,
        BinaryTest::After => left > right,
        BinaryTest::Equal => integer(shell, &left)? == integer(shell, &right)?,
        BinaryTest::NotEqual => integer(shell, &left)? != integer(shell, &right)?,
        BinaryTest::Less => integer(shell, &left)? < integer(shell, &right)?,
        BinaryTest::LessOrEqual => integer(shell, &left)? <= integer(shell, &right)?,
        BinaryTest::Greater => integer(shell, &left)? > integer(shell, &right)?,
        BinaryTest::GreaterOrEqual => integer(shell, &left)? >= integer(shell, &right)?,
        BinaryTest::Newer | BinaryTest::Older | BinaryTest::SameFile => {
            let operator = test.text().as_bytes();
            return test::binary(&left, operator, &right, &mut World { shell }).map_err(|error| {
                shell.report(format_args!("[[: {error}"));
                Wrong::Status(2)
            });
        }
    })
}

/// Returns the regular expression in which quoted parts are literal.
fn regex_text(fragments: &[Fragment]) -> BString {
    let mut pattern = BString::default();
    for fragment in fragments {
        match fragment {
            Fragment::Text {
                text,
                is_quoted: true,
                ..
            } => {
                for byte in text.iter() {
                    if b"\\^$.[]|()*+?{}".contains(byte) {
                        pattern.push(b'\\');
                    }
                    pattern.push(*byte);
                }
            }
            Fragment::Text { text, .. } => pattern.extend_from_slice(text),
            Fragment::Break => pattern.push(b' '),
        }
    }
    pattern
}

fn regex(shell: &mut Shell, text: &[u8], pattern: &[u8], ignore_case: bool) -> Result<bool, Wrong> {
    let options = posix_regex::Options {
        ignore_case,
        utf8: true,
        ..posix_regex::Options::default()
    };
    let regex = match Regex::new(pattern, Syntax::Extended, &options) {
        Ok(regex) => regex,
        Err(_) => return Err(Wrong::Status(2)),
    };
    let captures = regex.captures_at(text, 0);
    let is_match = captures.is_some();
    let groups: Vec<BString> = captures
        .unwrap_or_default()
        .into_iter()
        .map(|group| match group {
            Some((from, to)) => BString::from(text.get(from..to).unwrap_or_default()),
            None => BString::default(),
        })
        .collect();
    let variable = shell.variables.entry(b"BASH_REMATCH");
    variable.value = Value::Indexed(IndexedArray::from_values(groups));
    variable.is_declared_only = false;
    Ok(is_match)
}
