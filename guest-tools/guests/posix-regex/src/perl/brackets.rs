//! Bracket expressions in PCRE's syntax.

use super::{Translator, shorthand};
use crate::Error;

impl Translator<'_> {
    /// Translates a bracket expression whose `[` has been read. Every character in it is written by its number,
    /// because the crates know operators there that PCRE does not.
    pub(super) fn brackets(&mut self) -> Result<(), Error> {
        let negated = self.peek() == Some('^');
        self.at += usize::from(negated);
        let mut inside = String::new();
        let mut first = true;
        loop {
            let Some(char) = self.next() else {
                return Err(Error::Perl(
                    "missing terminating ] for character class".to_owned(),
                ));
            };
            match char {
                ']' if !first => break,
                '[' if self.looking_at(":") && self.named(&mut inside)? => {}
                '\\' if self.looking_at("E") => self.at += 1,
                '\\' if self.looking_at("Q") => {
                    self.at += 1;
                    while !self.looking_at(r"\E") {
                        match self.next() {
                            Some(char) => inside.push_str(&code(char)),
                            None => break,
                        }
                    }
                    self.at += 2;
                }
                '\\' => self.member(&mut inside)?,
                '-' => inside.push_str(match self.is_range(&inside) {
                    true => "-",
                    false => r"\x2D",
                }),
                char => inside.push_str(&code(char)),
            }
            first = false;
        }
        self.class(&inside, negated)
    }

    /// Returns whether a `-` stands between two single characters.
    fn is_range(&self, before: &str) -> bool {
        let after = match (self.peek(), self.rest.get(self.at + 1).copied()) {
            (Some(']') | None, _) => false,
            (Some('\\'), Some(next)) => shorthand(next).is_none() && !matches!(next, 'p' | 'P'),
            (Some('['), Some(':')) => false,
            _ => true,
        };
        // Everything that may begin a range was written as `\x{..}`.
        let last = before.rsplit(r"\x{").next().unwrap_or_default();
        let is_single = before.ends_with('}') && last.len() < before.len();
        let behind_range = before
            .strip_suffix(last)
            .and_then(|before| before.strip_suffix(r"\x{"))
            .is_some_and(|before| before.ends_with('-'));
        after
            && is_single
            && !behind_range
            && last
                .trim_end_matches('}')
                .chars()
                .all(|char| char.is_ascii_hexdigit())
    }

    fn member(&mut self, inside: &mut String) -> Result<(), Error> {
        let char = self
            .next()
            .ok_or_else(|| Error::Perl(r"\ at end of pattern".to_owned()))?;
        if let Some((class, negated)) = shorthand(char) {
            let caret = if negated { "^" } else { "" };
            inside.push_str(&format!("[{caret}{class}]"));
            return Ok(());
        }
        match char {
            'p' | 'P' => {
                let out = std::mem::take(&mut self.out);
                let result = self.property(char);
                inside.push_str(&std::mem::replace(&mut self.out, out));
                return result;
            }
            'b' => inside.push_str(&code('\x08')),
            '1'..='7' => {
                self.at -= 1;
                let digits = self.digits(8, 3);
                let number = super::number(&digits, 8)?;
                inside.extend(number.map(code));
            }
            char => match self.character(char)? {
                Some(char) => inside.push_str(&code(char)),
                None => return Err(Error::Perl(r"unrecognized character follows \".to_owned())),
            },
        }
        Ok(())
    }

    /// Translates `[:name:]` from behind its `[`, if that is what stands there.
    fn named(&mut self, inside: &mut String) -> Result<bool, Error> {
        let rest = self.rest.get(self.at + 1..).unwrap_or_default();
        let Some(length) = rest.windows(2).position(|pair| pair == [':', ']']) else {
            return Ok(false);
        };
        let name: String = rest.iter().take(length).collect();
        if !name
            .chars()
            .all(|char| char.is_ascii_alphabetic() || char == '^')
        {
            return Ok(false);
        }
        match name.trim_start_matches('^') {
            "alpha" | "digit" | "alnum" | "upper" | "lower" | "space" | "blank" | "punct"
            | "print" | "graph" | "cntrl" | "xdigit" | "word" | "ascii" => {}
            _ => return Err(Error::Perl("unknown POSIX class name".to_owned())),
        }
        self.at += 1 + length + 2;
        inside.push_str(&format!("[[:{name}:]]"));
        Ok(true)
    }
}

fn code(char: char) -> String {
    format!(r"\x{{{:X}}}", u32::from(char))
}
