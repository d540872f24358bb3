//! Reads scripts. Errors are in GNU's words, at the place where GNU sees them.

mod substitute;

use crate::{
    address::{Address, Range},
    escape,
    pattern::Pattern,
    reader::{Reader, Source},
    script::{Action, Command, Script},
    settings::Settings,
};

const TEXT_EXPECTED: &str = "expected \\ after `a', `c' or `i'";
const SANDBOX: &str = "e/r/w commands disabled in sandbox mode";

/// A script while it is read.
pub struct Parser<'a> {
    settings: &'a Settings,
    script: Script,
    /// Places of open `{`, and the message if they stay open.
    blocks: Vec<(usize, String)>,
    labels: Vec<(Vec<u8>, usize)>,
    /// Commands that jump, and where to.
    jumps: Vec<(usize, Vec<u8>)>,
    /// The text of the last command goes on in the next piece.
    pending: Option<Vec<u8>>,
}

/// Reads the pieces of a script.
pub fn parse(pieces: &[(Source, Vec<u8>)], settings: &Settings) -> Result<Script, String> {
    let mut parser = Parser {
        settings,
        script: Script::default(),
        blocks: Vec::new(),
        labels: Vec::new(),
        jumps: Vec::new(),
        pending: None,
    };
    for (number, (source, text)) in pieces.iter().enumerate() {
        let mut reader = Reader::new(text, source.clone());
        parser.read(&mut reader, number == 0)?;
    }
    parser.finish()
}

impl Parser<'_> {
    fn read(&mut self, reader: &mut Reader, is_first: bool) -> Result<(), String> {
        if let Some(text) = self.pending.take() {
            self.text(reader, text);
        }
        loop {
            let byte = loop {
                match reader.next() {
                    Some(b';' | b' ' | b'\t' | b'\n' | b'\r' | 11 | 12) => {}
                    Some(byte) => break byte,
                    None => return Ok(()),
                }
            };
            let (range, byte) = self.addresses(reader, byte)?;
            let Some(byte) = byte else {
                return Err(reader.error("missing command"));
            };
            if let Some(action) = self.command(reader, &range, byte, is_first)? {
                self.push(range, action);
                // The text was to be read when the command was there to take it.
                if matches!(byte, b'a' | b'i' | b'c') {
                    self.begin_text(reader)?;
                }
            }
        }
    }

    fn push(&mut self, mut range: Range, action: Action) {
        range.reset();
        self.script.commands.push(Command { range, action });
    }

    fn addresses(&mut self, reader: &mut Reader, byte: u8) -> Result<(Range, Option<u8>), String> {
        let mut range = Range::default();
        let mut next = Some(byte);
        if let Some(first) = self.address(reader, byte)? {
            if matches!(first, Address::Plus(_) | Address::Multiple(_)) {
                return Err(reader.error("invalid usage of +N or ~N as first address"));
            }
            next = reader.next_nonblank();
            if next == Some(b',') {
                let second = match reader.next_nonblank() {
                    Some(byte) => self.address(reader, byte)?,
                    None => None,
                };
                range.second = Some(second.ok_or_else(|| reader.error("unexpected `,'"))?);
                next = reader.next_nonblank();
            }
            if matches!(first, Address::Line(0))
                && (!matches!(range.second, Some(Address::Pattern(_))) || self.settings.posix)
            {
                return Err(reader.error("invalid usage of line address 0"));
            }
            range.first = Some(first);
        }
        if next == Some(b'!') {
            range.is_negated = true;
            next = reader.next_nonblank();
            if next == Some(b'!') {
                return Err(reader.error("multiple `!'s"));
            }
        }
        Ok((range, next))
    }

    fn address(&mut self, reader: &mut Reader, byte: u8) -> Result<Option<Address>, String> {
        Ok(Some(match byte {
            b'/' | b'\\' => {
                let delimiter = match byte {
                    b'\\' => reader.next(),
                    _ => Some(byte),
                };
                let text = delimiter
                    .and_then(|delimiter| reader.delimited(delimiter, true))
                    .ok_or_else(|| reader.error("unterminated address regex"))?;
                let (mut ignore_case, mut multi_line) = (false, false);
                loop {
                    match reader.next_nonblank() {
                        Some(b'I') => ignore_case = true,
                        Some(b'M') => multi_line = true,
                        other => {
                            reader.back(other);
                            break;
                        }
                    }
                }
                let pattern = Pattern::new(&text, ignore_case, multi_line, self.settings)
                    .map_err(|error| reader.error(&error))?;
                Address::Pattern(pattern)
            }
            b'0'..=b'9' => {
                let first = reader.number(byte);
                let next = reader.next_nonblank();
                if next != Some(b'~') {
                    reader.back(next);
                    return Ok(Some(Address::Line(first)));
                }
                match count(reader) {
                    0 => Address::Line(first),
                    step => Address::Step(first, step),
                }
            }
            b'+' => Address::Plus(count(reader)),
            b'~' => Address::Multiple(count(reader)),
            b'$' => Address::Last,
            _ => return Ok(None),
        }))
    }

    /// Reads the rest of a command. None is a command that leaves nothing.
    fn command(
        &mut self,
        reader: &mut Reader,
        range: &Range,
        byte: u8,
        is_first: bool,
    ) -> Result<Option<Action>, String> {
        let place = self.script.commands.len();
        let simple = match byte {
            b'=' => Action::LineNumber,
            b'd' => Action::Delete,
            b'D' => Action::DeleteFirst,
            b'F' => Action::FileName,
            b'g' => Action::HoldToPattern,
            b'G' => Action::HoldToPatternAppend,
            b'h' => Action::PatternToHold,
            b'H' => Action::PatternToHoldAppend,
            b'n' => Action::Next,
            b'N' => Action::NextAppend,
            b'p' => Action::Print,
            b'P' => Action::PrintFirst,
            b'x' => Action::Exchange,
            b'z' => Action::Zap,
            b'{' => {
                let message = reader.error_at_end("unmatched `{'");
                self.blocks.push((place, message));
                return Ok(Some(Action::Block(0)));
            }
            b'}' => {
                let Some((open, _)) = self.blocks.pop() else {
                    return Err(reader.error("unexpected `}'"));
                };
                if range.first.is_some() {
                    return Err(reader.error("`}' doesn't want any addresses"));
                }
                if let Some(command) = self.script.commands.get_mut(open) {
                    command.action = Action::Block(place);
                }
                Action::Nothing
            }
            b'#' => {
                if range.first.is_some() {
                    return Err(reader.error("comments don't accept any addresses"));
                }
                let is_at_start = reader.position() == 1;
                let comment = reader.line();
                if is_first && is_at_start && comment == b"n" {
                    self.script.is_quiet = true;
                }
                return Ok(None);
            }
            b':' => {
                if range.first.is_some() {
                    return Err(reader.error(": doesn't want any addresses"));
                }
                let label = label(reader);
                if label.is_empty() {
                    return Err(reader.error("\":\" lacks a label"));
                }
                self.labels.push((label, place));
                return Ok(None);
            }
            b'b' | b't' | b'T' => {
                let label = label(reader);
                self.jumps.push((place, label));
                return Ok(Some(match byte {
                    b'b' => Action::Branch(0),
                    b't' => Action::BranchIf(0),
                    _ => Action::BranchUnless(0),
                }));
            }
            b'v' => {
                let version = label(reader);
                if is_newer(&version) {
                    return Err(reader.error("expected newer version of sed"));
                }
                return Ok(None);
            }
            b'a' | b'i' | b'c' => {
                return Ok(Some(match byte {
                    b'a' => Action::Append(Vec::new()),
                    b'i' => Action::Insert(Vec::new()),
                    _ => Action::Change(Vec::new()),
                }));
            }
            b'e' => {
                self.check_sandbox(reader)?;
                let first = reader.next_nonblank();
                reader.back(first);
                let command = reader.line();
                return Ok(Some(Action::Execute(
                    (!command.is_empty()).then(|| escape::in_text(command)),
                )));
            }
            b's' => return self.substitution(reader).map(Some),
            b'y' => self.translation(reader)?,
            b'l' | b'L' | b'q' | b'Q' => {
                if byte != b'l' && range.second.is_some() {
                    return Err(reader.error("command only uses one address"));
                }
                let number = match reader.next_nonblank() {
                    Some(digit @ b'0'..=b'9') => Some(reader.number(digit)),
                    other => {
                        reader.back(other);
                        None
                    }
                };
                let status = number.unwrap_or(0).to_le_bytes()[0];
                match byte {
                    b'l' => Action::List(
                        number.map(|width| usize::try_from(width).unwrap_or(usize::MAX)),
                    ),
                    b'q' => Action::Quit(status),
                    b'Q' => Action::QuitSilently(status),
                    _ => return Err(reader.error("unknown command: `L'")),
                }
            }
            b'r' | b'R' | b'w' | b'W' => {
                self.check_sandbox(reader)?;
                let name = file_name(reader)?;
                return Ok(Some(match byte {
                    b'r' => Action::ReadFile(name),
                    b'R' => Action::ReadLine(name),
                    b'w' => Action::Write(self.output(name)),
                    _ => Action::WriteFirst(self.output(name)),
                }));
            }
            other => {
                let shown = String::from_utf8_lossy(&[other]).into_owned();
                return Err(reader.error(&format!("unknown command: `{shown}'")));
            }
        };
        end_of_command(reader)?;
        Ok(Some(simple))
    }

    fn check_sandbox(&self, reader: &Reader) -> Result<(), String> {
        if self.settings.sandbox {
            return Err(reader.error(SANDBOX));
        }
        Ok(())
    }

    /// Returns the number of an output file.
    fn output(&mut self, name: Vec<u8>) -> usize {
        let outputs = &mut self.script.outputs;
        if let Some(place) = outputs.iter().position(|known| *known == name) {
            return place;
        }
        outputs.push(name);
        outputs.len() - 1
    }

    fn begin_text(&mut self, reader: &mut Reader) -> Result<(), String> {
        match reader.next_nonblank() {
            None | Some(b'\n') => return Err(reader.error(TEXT_EXPECTED)),
            Some(b'\\') => {
                let rest = reader.rest();
                let blanks = rest
                    .iter()
                    .take_while(|byte| matches!(byte, b' ' | b'\t'))
                    .count();
                match rest.get(blanks) {
                    Some(b'\n') => {
                        reader.line();
                    }
                    Some(_) => {}
                    None => {
                        self.pending = Some(Vec::new());
                        return Ok(());
                    }
                }
                if rest.get(blanks..) == Some(b"\n") {
                    self.pending = Some(Vec::new());
                    return Ok(());
                }
            }
            other => reader.back(other),
        }
        self.text(reader, Vec::new());
        Ok(())
    }

    /// Reads a text to its first line end that is not quoted.
    fn text(&mut self, reader: &mut Reader, mut text: Vec<u8>) {
        loop {
            match reader.next() {
                None | Some(b'\n') => break,
                Some(b'\\') => match reader.next() {
                    Some(byte) => text.extend_from_slice(&[b'\\', byte]),
                    None => {
                        text.push(b'\n');
                        self.pending = Some(text);
                        return;
                    }
                },
                Some(byte) => text.push(byte),
            }
        }
        text.push(b'\n');
        self.end_text(&text);
    }

    fn end_text(&mut self, text: &[u8]) {
        if let Some(command) = self.script.commands.last_mut()
            && let Action::Append(place) | Action::Insert(place) | Action::Change(place) =
                &mut command.action
        {
            *place = escape::in_text(text);
        }
    }

    fn finish(mut self) -> Result<Script, String> {
        if let Some(text) = self.pending.take() {
            self.end_text(&text);
        }
        if let Some((_, message)) = self.blocks.pop() {
            return Err(message);
        }
        let end = self.script.commands.len();
        for (place, label) in std::mem::take(&mut self.jumps) {
            let target = if label.is_empty() {
                end
            } else {
                let found = self.labels.iter().find(|(known, _)| *known == label);
                found.map(|(_, target)| *target).ok_or_else(|| {
                    let label = String::from_utf8_lossy(&label);
                    format!("can't find label for jump to `{label}'")
                })?
            };
            if let Some(command) = self.script.commands.get_mut(place)
                && let Action::Branch(place) | Action::BranchIf(place) | Action::BranchUnless(place) =
                    &mut command.action
            {
                *place = target;
            }
        }
        Ok(self.script)
    }
}

fn count(reader: &mut Reader) -> u64 {
    match reader.next_nonblank() {
        Some(digit @ b'0'..=b'9') => reader.number(digit),
        other => {
            reader.back(other);
            0
        }
    }
}

fn label(reader: &mut Reader) -> Vec<u8> {
    let mut label = Vec::new();
    let mut next = reader.next_nonblank();
    while let Some(byte) = next.filter(|byte| !byte.is_ascii_whitespace() && *byte != b';') {
        label.push(byte);
        next = reader.next();
    }
    reader.back(next);
    label
}

fn file_name(reader: &mut Reader) -> Result<Vec<u8>, String> {
    let first = reader.next_nonblank();
    reader.back(first);
    let name = reader.line();
    if name.is_empty() {
        return Err(reader.error("missing filename in r/R/w/W commands"));
    }
    Ok(name.to_vec())
}

fn end_of_command(reader: &mut Reader) -> Result<(), String> {
    match reader.next_nonblank() {
        None | Some(b'\n' | b';') => Ok(()),
        other @ Some(b'}' | b'#') => {
            reader.back(other);
            Ok(())
        }
        Some(b'\r') if matches!(reader.rest(), [] | [b'\n', ..]) => Ok(()),
        Some(_) => Err(reader.error("extra characters after command")),
    }
}

fn is_newer(version: &[u8]) -> bool {
    let text = String::from_utf8_lossy(version);
    let mut numbers = text.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let wanted = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    wanted > (4, 9)
}

#[cfg(test)]
mod tests;
