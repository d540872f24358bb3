//! The commands of ed.

use std::io::Write as _;

use super::address::{Range, skip_blanks, until};
use super::{Next, Outcome, Session, print};

impl Session {
    /// Does one line of commands.
    pub(super) fn command(&mut self, line: &[u8]) -> Outcome<Next> {
        let mut rest = line;
        let range = self.range(&mut rest)?;
        skip_blanks(&mut rest);
        let letter = match rest.split_first() {
            Some((letter, behind)) => {
                rest = behind;
                *letter
            }
            None => {
                // An empty line shows the next one, a lone address its line.
                let at = if range.count == 0 {
                    self.buffer.current + 1
                } else {
                    range.last
                };
                self.show(at, at, b'p')?;
                return Ok(Next::Goes);
            }
        };
        let warned = std::mem::take(&mut self.warned);
        let is_change = b"acdijmrstxvVgG".contains(&letter);
        if is_change && !self.is_global {
            self.buffer.keep();
        }
        match letter {
            b'q' | b'Q' => {
                no_address(range)?;
                suffix(&rest)?;
                if letter == b'q' && self.buffer.is_changed && !warned {
                    self.warned = true;
                    return Err("Warning: buffer modified".to_owned());
                }
                return Ok(Next::Quits);
            }
            b'e' | b'E' => {
                no_address(range)?;
                if letter == b'e' && self.buffer.is_changed && !warned {
                    self.warned = true;
                    return Err("Warning: buffer modified".to_owned());
                }
                let name = self.file_name(rest)?;
                let last = self.buffer.last();
                self.buffer.remove(1, last);
                self.buffer.current = 0;
                let read = self.read_into(&name, 0);
                self.buffer.is_changed = false;
                if let Err(message) = read {
                    let _ = writeln!(std::io::stderr(), "{message}");
                    return Err("Cannot open input file".to_owned());
                }
                self.remember(&name, true);
            }
            b'f' => {
                no_address(range)?;
                if !rest.is_empty() {
                    let name = self.file_name(rest)?;
                    self.remember(&name, true);
                }
                if self.name.is_empty() {
                    return Err("No current filename".to_owned());
                }
                print(format!("{}\n", self.name).as_bytes());
            }
            b'r' => {
                let place = if range.count == 0 {
                    self.buffer.last()
                } else {
                    range.last
                };
                let name = self.file_name(rest)?;
                if let Err(message) = self.read_into(&name, place) {
                    let _ = writeln!(std::io::stderr(), "{message}");
                    return Err("Cannot open input file".to_owned());
                }
                self.remember(&name, false);
            }
            b'w' | b'W' => return self.write(range, letter == b'W', rest),
            b'h' => {
                if !self.last_error.is_empty() {
                    print(format!("{}\n", self.last_error).as_bytes());
                }
            }
            b'H' => {
                self.explains = !self.explains;
                if self.explains && !self.last_error.is_empty() {
                    print(format!("{}\n", self.last_error).as_bytes());
                }
            }
            b'P' => self.shows_prompt = !self.shows_prompt,
            b'u' => {
                no_address(range)?;
                suffix(&rest)?;
                if !self.buffer.undo() {
                    return Err("Nothing to undo".to_owned());
                }
            }
            b'!' => {
                no_address(range)?;
                let command = String::from_utf8_lossy(rest).into_owned();
                let mut program = process::Program::new("sh");
                program.arg("-c").arg(command);
                program.status().map_err(|error| error.to_string())?;
                if !self.is_quiet {
                    print(b"!\n");
                }
            }
            b'g' | b'v' => self.global(range, rest, letter == b'g')?,
            b'=' => {
                suffix(&rest)?;
                let line = if range.count == 0 {
                    self.buffer.last()
                } else {
                    range.last
                };
                print(format!("{line}\n").as_bytes());
            }
            b'#' => {}
            _ => return self.edit(letter, range, rest),
        }
        Ok(Next::Goes)
    }

    /// The commands that change lines or show them.
    fn edit(&mut self, letter: u8, range: Range, mut rest: &[u8]) -> Outcome<Next> {
        let needs_line = || {
            if range.first == 0 {
                Err("Invalid address".to_owned())
            } else {
                Ok(())
            }
        };
        let mut prints = Vec::new();
        match letter {
            b'a' | b'i' | b'c' => {
                prints = suffix(&rest)?;
                let mut place = range.last;
                if letter == b'i' {
                    place = place.saturating_sub(1);
                }
                if letter == b'c' {
                    needs_line()?;
                    self.cut(range);
                    place = range.first - 1;
                }
                let lines = self.text_lines();
                let count = lines.len();
                self.buffer.insert(place, lines);
                self.buffer.current = match (letter, count) {
                    (b'c', 0) => range.first.min(self.buffer.last()),
                    (b'i', 0) => range.last,
                    _ => place + count,
                };
            }
            b'd' => {
                needs_line()?;
                prints = suffix(&rest)?;
                self.cut(range);
                self.buffer.current = range.first.min(self.buffer.last());
            }
            b'j' => {
                let range = if range.count == 0 {
                    Range {
                        last: range.last + 1,
                        ..range
                    }
                } else {
                    range
                };
                if range.first == 0 || range.last > self.buffer.last() {
                    return Err("Invalid address".to_owned());
                }
                prints = suffix(&rest)?;
                if range.first < range.last {
                    let lines = self.buffer.remove(range.first, range.last);
                    let text = lines.into_iter().flat_map(|line| line.text).collect();
                    self.buffer.insert(range.first - 1, vec![text]);
                }
                self.buffer.current = range.first;
            }
            b'k' => {
                needs_line()?;
                let mark = rest.first().copied().filter(u8::is_ascii_lowercase);
                let mark = mark.ok_or_else(|| "Invalid mark character".to_owned())?;
                let line = range
                    .last
                    .checked_sub(1)
                    .and_then(|at| self.buffer.lines.get(at));
                if let Some(line) = line {
                    self.buffer.marks.insert(mark, line.id);
                }
            }
            b'l' | b'n' | b'p' => {
                prints = suffix(&rest)?;
                prints.push(letter);
                return self.show_all(range, &prints);
            }
            b'm' | b't' => {
                needs_line()?;
                let to = self.address(&mut rest)?.unwrap_or(self.buffer.current);
                prints = suffix(&rest)?;
                self.transfer(range, to, letter == b'm')?;
            }
            b's' => {
                needs_line()?;
                self.pending_suffix.clear();
                prints = self.substitute(range, &mut rest)?;
            }
            b'x' => {
                let lines = self.buffer.cut.clone();
                if lines.is_empty() {
                    return Err("Nothing to put".to_owned());
                }
                let count = lines.len();
                self.buffer.insert(range.last, lines);
                self.buffer.current = range.last + count;
            }
            b'y' => {
                needs_line()?;
                self.buffer.cut = (range.first..=range.last)
                    .map(|line| self.buffer.text(line).to_vec())
                    .collect();
            }
            b'z' => {
                let first = if range.count == 0 {
                    self.buffer.current + 1
                } else {
                    range.last
                };
                let count = std::str::from_utf8(rest)
                    .ok()
                    .and_then(|text| text.parse().ok());
                let last = first + count.unwrap_or(22_usize).max(1) - 1;
                self.show(first, last.min(self.buffer.last()), b'p')?;
            }
            _ => return Err("Unknown command".to_owned()),
        }
        if let Some(form) = prints.first() {
            let current = self.buffer.current;
            self.show(current, current, *form)?;
        }
        Ok(Next::Goes)
    }

    fn cut(&mut self, range: Range) {
        let lines = self.buffer.remove(range.first, range.last);
        self.buffer.cut = lines.into_iter().map(|line| line.text).collect();
    }

    fn transfer(&mut self, range: Range, to: usize, moves: bool) -> Outcome<()> {
        if to > self.buffer.last() {
            return Err("Invalid address".to_owned());
        }
        let count = range.last - range.first + 1;
        if !moves {
            let copies = (range.first..=range.last)
                .map(|line| self.buffer.text(line).to_vec())
                .collect();
            self.buffer.insert(to, copies);
            self.buffer.current = to + count;
            return Ok(());
        }
        if (range.first..range.last).contains(&to) {
            return Err("Invalid destination".to_owned());
        }
        let lines = self.buffer.remove(range.first, range.last);
        let place = if to >= range.last { to - count } else { to };
        self.buffer.lines.splice(place..place, lines);
        self.buffer.current = place + count;
        Ok(())
    }

    /// Takes lines up to a lone full stop.
    fn text_lines(&mut self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        while let Some(line) = self.line() {
            if line == b"." {
                break;
            }
            lines.push(line);
        }
        lines
    }

    fn show_all(&mut self, range: Range, forms: &[u8]) -> Outcome<Next> {
        let form = if forms.contains(&b'n') {
            b'n'
        } else if forms.contains(&b'l') {
            b'l'
        } else {
            b'p'
        };
        self.show(range.first, range.last, form)?;
        Ok(Next::Goes)
    }

    fn show(&mut self, first: usize, last: usize, form: u8) -> Outcome<()> {
        if first == 0 || last > self.buffer.last() || first > self.buffer.last() {
            return Err("Invalid address".to_owned());
        }
        let mut out = Vec::new();
        for line in first..=last {
            if form == b'n' {
                out.extend_from_slice(format!("{line}\t").as_bytes());
            }
            let text = self.buffer.text(line);
            if form == b'l' {
                visible(text, &mut out);
            } else {
                out.extend_from_slice(text);
            }
            out.push(b'\n');
        }
        print(&out);
        self.buffer.current = last;
        Ok(())
    }

    fn global(&mut self, range: Range, mut rest: &[u8], wants_match: bool) -> Outcome<()> {
        if self.is_global {
            return Err("Cannot nest global commands".to_owned());
        }
        let (first, last) = if range.count == 0 {
            (1, self.buffer.last())
        } else {
            (range.first, range.last)
        };
        let Some((delimiter, behind)) = rest.split_first() else {
            return Err("Invalid pattern delimiter".to_owned());
        };
        rest = behind;
        let pattern = until(&mut rest, *delimiter);
        let regex = self.compile(&pattern, false)?;
        let mut commands = vec![rest.to_vec()];
        // A list of commands goes on behind a backslash.
        while commands.last().is_some_and(|line| line.ends_with(b"\\")) {
            if let Some(line) = commands.last_mut() {
                line.pop();
            }
            match self.line() {
                Some(line) => commands.push(line),
                None => break,
            }
        }
        if commands.iter().all(Vec::is_empty) {
            commands = vec![b"p".to_vec()];
        }
        let found: Vec<u64> = (first.max(1)..=last)
            .filter(|line| regex.is_match(self.buffer.text(*line)) == wants_match)
            .filter_map(|line| self.buffer.lines.get(line - 1).map(|line| line.id))
            .collect();
        self.is_global = true;
        let mut outcome = Ok(());
        for id in found {
            let Some(place) = self.buffer.place_of(id) else {
                continue;
            };
            self.buffer.current = place;
            self.pending = commands.clone().into();
            while let Some(line) = self.line() {
                if let Err(message) = self.command(&line) {
                    outcome = Err(message);
                    break;
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        self.is_global = false;
        self.pending.clear();
        outcome
    }

    fn write(&mut self, range: Range, appends: bool, mut rest: &[u8]) -> Outcome<Next> {
        let quits = rest.first() == Some(&b'q') || rest.first() == Some(&b'Q');
        if quits {
            rest = rest.get(1..).unwrap_or(&[]);
        }
        let name = self.file_name(rest)?;
        let (first, last) = if range.count == 0 {
            (1, self.buffer.last())
        } else {
            (range.first, range.last)
        };
        let mut bytes = Vec::new();
        for line in first.max(1)..=last {
            bytes.extend_from_slice(self.buffer.text(line));
            bytes.push(b'\n');
        }
        if let Some(command) = name.strip_prefix('!') {
            let mut program = process::Program::new("sh");
            program.arg("-c").arg(command).stdin(process::Stdio::Piped);
            let mut running = program.spawn().map_err(|error| error.to_string())?;
            if let Some(stdin) = running.stdin.take() {
                stdin
                    .write_all_blocking(&bytes)
                    .map_err(|error| error.to_string())?;
            }
            running.wait();
        } else {
            let opened = std::fs::OpenOptions::new()
                .create(true)
                .write(true)
                .append(appends)
                .truncate(!appends)
                .open(&name);
            if let Err(error) = opened.and_then(|mut file| file.write_all(&bytes)) {
                let message = process::message(&error);
                let _ = writeln!(std::io::stderr(), "{name}: {message}");
                return Err("Cannot open output file".to_owned());
            }
            self.remember(&name, false);
            self.buffer.is_changed &= range.count > 0 && (first, last) != (1, self.buffer.last());
        }
        if !self.is_quiet {
            print(format!("{}\n", bytes.len()).as_bytes());
        }
        Ok(if quits { Next::Quits } else { Next::Goes })
    }

    /// Returns the file that a command names, or the one that is edited.
    fn file_name(&self, rest: &[u8]) -> Outcome<String> {
        if rest
            .first()
            .is_some_and(|byte| !byte.is_ascii_whitespace() && *byte != b'!')
        {
            return Err("Unexpected command suffix".to_owned());
        }
        let text = String::from_utf8_lossy(rest).trim().to_owned();
        let name = if text.is_empty() {
            self.name.clone()
        } else {
            text
        };
        if name.is_empty() {
            return Err("No current filename".to_owned());
        }
        Ok(name)
    }

    fn remember(&mut self, name: &str, always: bool) {
        if !name.starts_with('!') && (always || self.name.is_empty()) {
            name.clone_into(&mut self.name);
        }
    }
}

fn no_address(range: Range) -> Outcome<()> {
    if range.count > 0 {
        return Err("Unexpected address".to_owned());
    }
    Ok(())
}

/// Returns the letters behind a command that show a line.
fn suffix(rest: &&[u8]) -> Outcome<Vec<u8>> {
    let letters = rest.trim_ascii();
    if letters.iter().all(|byte| b"lnp".contains(byte)) {
        return Ok(letters.to_vec());
    }
    Err("Invalid command suffix".to_owned())
}

/// Writes a line as `l` shows it.
fn visible(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'$' => out.extend_from_slice(b"\\$"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            11 => out.extend_from_slice(b"\\v"),
            32..=126 => out.push(*byte),
            _ => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
        }
    }
    out.push(b'$');
}
