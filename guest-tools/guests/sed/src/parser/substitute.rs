//! The command `s`.

use super::Parser;
use crate::{
    Failure,
    escape::{self, Place},
    replacement,
    script::Substitution,
};

impl Parser<'_> {
    /// Reads the command from behind its letter; the end of the command is left to be read.
    pub(super) fn substitution(&mut self) -> Result<Substitution, Failure> {
        let unterminated = "unterminated `s' command";
        let delimiter = self.next().ok_or_else(|| self.fail(unterminated))?;
        let pattern = self.delimited(delimiter, true);
        let pattern = pattern.ok_or_else(|| self.fail(unterminated))?;
        let replacement = self.delimited(delimiter, false);
        let replacement = replacement.ok_or_else(|| self.fail(unterminated))?;
        let mut substitution = Substitution {
            pattern: None,
            replacement: Vec::new(),
            global: false,
            number: 0,
            print: false,
            print_before: false,
            evaluate: false,
            output: None,
        };
        let (ignore_case, multi_line) = self.flags(&mut substitution)?;
        let replacement = escape::convert(&replacement, Place::Replacement);
        let (parts, highest) = replacement::parse(&replacement, self.settings.posix);
        substitution.replacement = parts;
        substitution.pattern = self.pattern(&pattern, ignore_case, multi_line)?;
        if let Some(regex) = &substitution.pattern
            && highest > regex.groups()
        {
            return Err(self.fail(format!(
                "invalid reference \\{highest} on `s' command's RHS"
            )));
        }
        Ok(substitution)
    }

    fn flags(&mut self, substitution: &mut Substitution) -> Result<(bool, bool), Failure> {
        let (mut ignore_case, mut multi_line) = (false, false);
        while let Some(flag) = self.peek() {
            self.at += 1;
            match flag {
                b'i' | b'I' => ignore_case = true,
                b'm' | b'M' => multi_line = true,
                b'e' => {
                    self.check_sandbox()?;
                    substitution.print_before = substitution.print;
                    substitution.print = false;
                    substitution.evaluate = true;
                }
                b'p' if substitution.print => {
                    return Err(self.fail("multiple `p' options to `s' command"));
                }
                b'p' => substitution.print = true,
                b'g' if substitution.global => {
                    return Err(self.fail("multiple `g' options to `s' command"));
                }
                b'g' => substitution.global = true,
                b'w' => {
                    substitution.output = Some(self.output()?);
                    break;
                }
                b'0'..=b'9' => {
                    if substitution.number > 0 {
                        return Err(self.fail("multiple number options to `s' command"));
                    }
                    self.at -= 1;
                    substitution.number = self.number().unwrap_or_default();
                    if substitution.number == 0 {
                        return Err(self.fail("number option to `s' command may not be zero"));
                    }
                }
                b'}' | b'#' | b'\n' | b';' => {
                    self.at -= 1;
                    break;
                }
                b' ' | b'\t' | b'\r' => {
                    self.skip_blanks();
                    break;
                }
                _ => return Err(self.fail("unknown option to `s'")),
            }
        }
        Ok((ignore_case, multi_line))
    }
}
