//! What stands behind the letter of a command.

use super::{Parser, is_space};
use crate::{
    Failure,
    escape::{self, Place},
    script::{Action, Command, OutputNumber, STANDARD_OUTPUT, Translation},
};

impl Parser<'_> {
    /// Reads a command from behind its letter.
    pub(super) fn action(
        &mut self,
        letter: u8,
        addresses: usize,
        negated: bool,
    ) -> Result<Action, Failure> {
        let here = self.commands.len();
        let action = match letter {
            b'#' if addresses > 0 || negated => {
                return Err(self.fail("comments don't accept any addresses"));
            }
            b'#' => {
                while self.peek().is_some_and(|byte| byte != b'\n') {
                    self.at += 1;
                }
                return Ok(Action::Nothing);
            }
            b':' => return self.label_here(addresses, here),
            b'{' => {
                self.blocks.push(here);
                return Ok(Action::Block(0));
            }
            b'}' => {
                if addresses > 0 {
                    return Err(self.fail("} doesn't want any addresses"));
                }
                let open = self.blocks.pop();
                let open = open.ok_or_else(|| self.fail("unexpected `}'"))?;
                if let Some(Command {
                    action: Action::Block(end),
                    ..
                }) = self.commands.get_mut(open)
                {
                    *end = here;
                }
                Action::Nothing
            }
            b'a' => return self.text().map(Action::Append),
            b'i' => return self.text().map(Action::Insert),
            b'c' => return self.text().map(Action::Change),
            b'b' => return Ok(self.jump(Action::Branch(0))),
            b't' => return Ok(self.jump(Action::BranchIf(0))),
            b'T' => return Ok(self.jump(Action::BranchUnless(0))),
            b'd' => Action::Delete,
            b'D' => Action::DeleteFirst,
            b'e' => {
                self.check_sandbox()?;
                return Ok(Action::Execute(self.rest_of_line()));
            }
            b'F' => Action::FileName,
            b'g' => Action::GetHold,
            b'G' => Action::GetHoldAppend,
            b'h' => Action::Hold,
            b'H' => Action::HoldAppend,
            b'x' => Action::Exchange,
            b'l' => {
                self.skip_blanks();
                let length = self.number();
                Action::List(length.and_then(|length| usize::try_from(length).ok()))
            }
            b'n' => Action::Next,
            b'N' => Action::NextAppend,
            b'=' => Action::Number,
            b'p' => Action::Print,
            b'P' => Action::PrintFirst,
            b'q' | b'Q' => {
                if addresses > 1 {
                    return Err(self.fail("command only uses one address"));
                }
                self.skip_blanks();
                let code = self.number().unwrap_or_default();
                let code = code.to_le_bytes().first().copied().unwrap_or_default();
                match letter {
                    b'q' => Action::Quit(code),
                    _ => Action::QuitSilent(code),
                }
            }
            b'r' => return self.file_name().map(Action::Read),
            b'R' => return self.file_name().map(Action::ReadLine),
            b'w' => return self.output().map(Action::Write),
            b'W' => return self.output().map(Action::WriteFirst),
            b's' => Action::Substitute(Box::new(self.substitution()?)),
            b'y' => Action::Translate(Box::new(self.translation()?)),
            b'v' => {
                self.skip_blanks();
                let version = self.word();
                if !is_old_enough(&version) {
                    return Err(self.fail("expected newer version of sed"));
                }
                Action::Nothing
            }
            b'z' => Action::Zap,
            b'\n' | b';' => {
                self.at -= 1;
                return Err(self.fail("missing command"));
            }
            other => {
                return Err(self.fail(format!("unknown command: `{}'", char::from(other))));
            }
        };
        self.end_of_command()?;
        Ok(action)
    }

    pub(super) fn end_of_command(&mut self) -> Result<(), Failure> {
        self.skip_blanks();
        match self.peek() {
            None | Some(b'}' | b'#') => Ok(()),
            Some(b'\n' | b';') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => {
                self.at += 1;
                Err(self.fail("extra characters after command"))
            }
        }
    }

    pub(super) fn check_sandbox(&self) -> Result<(), Failure> {
        match self.settings.sandbox {
            true => Err(self.fail("e/r/w commands disabled in sandbox mode")),
            false => Ok(()),
        }
    }

    fn word(&mut self) -> Vec<u8> {
        let mut word = Vec::new();
        while let Some(byte) = self.peek()
            && !is_space(byte)
            && !matches!(byte, b';' | b'}')
        {
            word.push(byte);
            self.at += 1;
        }
        word
    }

    fn label_here(&mut self, addresses: usize, here: usize) -> Result<Action, Failure> {
        if addresses > 0 {
            return Err(self.fail(": doesn't want any addresses"));
        }
        self.skip_blanks();
        let label = self.word();
        if label.is_empty() {
            return Err(self.fail("\":\" lacks a label"));
        }
        self.labels.insert(label, here);
        Ok(Action::Nothing)
    }

    fn jump(&mut self, action: Action) -> Action {
        self.skip_blanks();
        let label = self.word();
        self.jumps.push((self.commands.len(), label));
        action
    }

    fn rest_of_line(&mut self) -> Vec<u8> {
        self.skip_blanks();
        let mut line = Vec::new();
        while let Some(byte) = self.peek()
            && byte != b'\n'
        {
            line.push(byte);
            self.at += 1;
        }
        line
    }

    fn file_name(&mut self) -> Result<String, Failure> {
        self.check_sandbox()?;
        let name = self.rest_of_line();
        match name.is_empty() {
            true => Err(self.fail("missing filename in r/R/w/W commands")),
            false => Ok(String::from_utf8_lossy(&name).into_owned()),
        }
    }

    pub(super) fn output(&mut self) -> Result<OutputNumber, Failure> {
        let name = self.file_name()?;
        if name == "/dev/stdout" {
            return Ok(STANDARD_OUTPUT);
        }
        let known = self.outputs.iter().position(|other| *other == name);
        Ok(1 + known.unwrap_or_else(|| {
            self.outputs.push(name);
            self.outputs.len() - 1
        }))
    }

    /// Reads the text of `a`, `i` and `c`: in the same line, or behind `\` and a line feed.
    fn text(&mut self) -> Result<Vec<u8>, Failure> {
        self.skip_blanks();
        if self.peek().is_none() {
            return Err(self.fail("expected \\ after `a', `c' or `i'"));
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
            return Err(self.fail("expected \\ after `a', `c' or `i'"));
        }
        if self.peek() == Some(b'\\') {
            self.at += 1;
            let begin = self.at;
            self.skip_blanks();
            match self.peek() {
                Some(b'\n') => self.at += 1,
                None => return Ok(Vec::new()),
                // `a\text` in one line: what blanks lead the text stay.
                Some(_) => self.at = begin,
            }
        }
        let mut raw = Vec::new();
        let mut is_first = true;
        loop {
            match self.next() {
                None => break,
                Some(b'\n') => break,
                Some(b'\\') => match self.next() {
                    None => break,
                    // The `\` before leading blanks of a line, and before the line feed, only quotes.
                    Some(next) => {
                        let keeps = !is_first || raw.last() != Some(&b'\n');
                        if keeps && next != b'\n' {
                            raw.push(b'\\');
                        }
                        raw.push(next);
                    }
                },
                Some(byte) => raw.push(byte),
            }
            is_first = false;
        }
        let converted = escape::convert(&raw, Place::Text);
        let mut text = Vec::with_capacity(converted.len() + 1);
        let mut bytes = converted.into_iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => text.extend(bytes.next()),
                byte => text.push(byte),
            }
        }
        text.push(b'\n');
        Ok(text)
    }

    fn translation(&mut self) -> Result<Translation, Failure> {
        let unterminated = "unterminated `y' command";
        let delimiter = self.next().ok_or_else(|| self.fail(unterminated))?;
        let from = self.delimited(delimiter, false);
        let from = from.ok_or_else(|| self.fail(unterminated))?;
        let to = self.delimited(delimiter, false);
        let to = to.ok_or_else(|| self.fail(unterminated))?;
        let (from, to) = (self.unescaped(&from)?, self.unescaped(&to)?);
        let lengths = "strings for `y' command are different lengths";
        if let (Ok(from), Ok(to), true) = (
            std::str::from_utf8(&from),
            std::str::from_utf8(&to),
            self.settings.utf8,
        ) && !(from.is_ascii() && to.is_ascii())
        {
            if from.chars().count() != to.chars().count() {
                return Err(self.fail(lengths));
            }
            // The first of two mappings of one character holds.
            let mut table = std::collections::HashMap::new();
            for (from, to) in from.chars().zip(to.chars()) {
                table.entry(from).or_insert(to);
            }
            return Ok(Translation::Chars(table));
        }
        if from.len() != to.len() {
            return Err(self.fail(lengths));
        }
        let mut table = [0; 256];
        for (place, byte) in table.iter_mut().zip(0..=u8::MAX) {
            *place = byte;
        }
        for (from, to) in from.iter().zip(&to).rev() {
            if let Some(place) = table.get_mut(usize::from(*from)) {
                *place = *to;
            }
        }
        Ok(Translation::Bytes(Box::new(table)))
    }

    fn unescaped(&self, text: &[u8]) -> Result<Vec<u8>, Failure> {
        let text = escape::convert(text, Place::Replacement);
        let mut out = Vec::with_capacity(text.len());
        let mut bytes = text.into_iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => match bytes.next() {
                    Some(next @ (b'\\' | b'\n' | b'&')) => out.push(next),
                    Some(next) => out.extend_from_slice(&[b'\\', next]),
                    None => out.push(b'\\'),
                },
                byte => out.push(byte),
            }
        }
        Ok(out)
    }
}

/// Returns whether a version is not newer than the one whose commands these are.
fn is_old_enough(version: &[u8]) -> bool {
    let text = String::from_utf8_lossy(version);
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0_u64));
    let major = parts.next().unwrap_or_default();
    (major, parts.next().unwrap_or_default()) <= (4, 9)
}
