//! The machine that runs a script.

mod addresses;
mod files;

use posix_regex::Regex;

use crate::{
    Failure,
    edit::Edit,
    input::Input,
    listing::listing,
    output::Output,
    parser,
    script::{Action, Address, Command, Pattern, Range, Script, Substitution, Translation},
    settings::Settings,
    substitute::Workspace,
};
use files::{Queued, ReadFiles};

/// Runs the script of a command line. Returns the exit status.
pub(crate) fn run(settings: &Settings) -> Result<u8, Failure> {
    let script = parser::parse(settings)?;
    let outputs = script
        .outputs
        .iter()
        .map(|name| Output::open(name, settings.line_end));
    let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
    let ranges = script.commands.iter().map(addresses::initial).collect();
    let mut machine = Machine {
        settings,
        script: &script,
        input: Input::new(&settings.files, settings.line_end, settings.separate),
        standard: Output::standard(settings),
        outputs,
        edited: None,
        line: Vec::new(),
        hold: Vec::new(),
        has_end: true,
        hold_has_end: true,
        aside_lacks_end: false,
        number: 0,
        ranges,
        queue: Vec::new(),
        read_files: ReadFiles::default(),
        last_pattern: None,
        has_substituted: false,
        restarts: false,
        workspace: Workspace::default(),
    };
    let result = machine.files();
    // What was written before a failure was written.
    let flushed = machine.flush();
    let status = match result {
        Ok(status) => status,
        Err(failure) => {
            if let Some((edit, _)) = machine.edited.take() {
                edit.abandon();
            }
            return Err(failure);
        }
    };
    flushed?;
    Ok(match status {
        0 if machine.input.has_missing => 2,
        status => status,
    })
}

struct Machine<'a> {
    settings: &'a Settings,
    script: &'a Script,
    input: Input,
    standard: Output,
    /// Whether what `w /dev/stdout` wrote last lacks an end; GNU sed keeps that apart from its own lines.
    aside_lacks_end: bool,
    /// The files of `w`; the first is output 1.
    outputs: Vec<Output>,
    /// The file that is edited in place, whose output stands for standard output.
    edited: Option<(Edit, Output)>,
    line: Vec<u8>,
    hold: Vec<u8>,
    /// Whether the line had an end where it was read; what is copied to and from the hold space takes that along.
    has_end: bool,
    hold_has_end: bool,
    number: u64,
    ranges: Vec<Range>,
    /// What is to follow the line.
    queue: Vec<Queued<'a>>,
    read_files: ReadFiles,
    last_pattern: Option<Regex>,
    has_substituted: bool,
    /// The next cycle begins with what is in the pattern space.
    restarts: bool,
    workspace: Workspace,
}

/// How a cycle goes on.
enum Step {
    Next,
    Jump(usize),
    /// The cycle ends, with the line printed.
    End,
    /// The cycle ends without.
    EndSilent,
    Quit(u8),
    QuitSilent(u8),
}

impl<'a> Machine<'a> {
    fn files(&mut self) -> Result<u8, Failure> {
        if !self.settings.separate {
            return self.cycles().map(Option::unwrap_or_default);
        }
        let in_place = self.settings.in_place.is_some();
        while self.input.next_file(in_place) {
            self.number = 0;
            self.hold.clear();
            self.read_files = ReadFiles::default();
            self.ranges = self
                .script
                .commands
                .iter()
                .map(addresses::initial)
                .collect();
            if in_place {
                match Edit::begin(self.input.name(), self.settings) {
                    Ok(edited) => self.edited = Some(edited),
                    Err(failure) => {
                        eprintln!("sed: {}", failure.message);
                        return Ok(failure.status);
                    }
                }
            }
            let quit = self.cycles()?;
            if let Some((edit, output)) = self.edited.take() {
                edit.finish(output, self.settings)?;
            }
            if let Some(status) = quit {
                return Ok(status);
            }
        }
        Ok(0)
    }

    /// Runs the script on all lines. Returns a status if the script says to quit.
    fn cycles(&mut self) -> Result<Option<u8>, Failure> {
        for command in &self.script.commands {
            if let (Some(Address::Line(0)), None, Action::Read(name)) =
                (&command.start, &command.end, &command.action)
            {
                self.copy(name)?;
            }
        }
        loop {
            if !std::mem::take(&mut self.restarts) {
                self.line.clear();
                if !self.read_line()? {
                    return Ok(None);
                }
            }
            let step = self.cycle()?;
            if !self.is_quiet() && matches!(step, Step::End | Step::Quit(_)) {
                self.print_line(0)?;
            }
            if let Step::QuitSilent(status) = step {
                self.queue.clear();
                return Ok(Some(status));
            }
            self.flush_queue()?;
            if let Step::Quit(status) = step {
                // The last line then has an end, as GNU sed has it.
                self.output(0).text(b"")?;
                return Ok(Some(status));
            }
        }
    }

    fn is_quiet(&self) -> bool {
        self.settings.quiet || self.script.quiet
    }

    /// Appends the next line of the input to the line. Returns false if there is none.
    fn read_line(&mut self) -> Result<bool, Failure> {
        match self.input.read(&mut self.line)? {
            Some(has_end) => {
                self.has_end = has_end;
                self.number += 1;
                self.has_substituted = false;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn cycle(&mut self) -> Result<Step, Failure> {
        let script = self.script;
        let mut at = 0;
        while let Some(command) = script.commands.get(at) {
            let applies = self.applies(command, at)? != command.negated;
            at += 1;
            if !applies {
                if let Action::Block(end) = command.action {
                    at = end;
                }
                continue;
            }
            match self.act(command, at - 1)? {
                Step::Next => {}
                Step::Jump(to) => at = to,
                step => return Ok(step),
            }
        }
        Ok(Step::End)
    }

    fn act(&mut self, command: &'a Command, at: usize) -> Result<Step, Failure> {
        let end = self.settings.line_end;
        match &command.action {
            Action::Block(_) | Action::Nothing => {}
            Action::Append(text) => self.queue.push(Queued::Text(text)),
            Action::Insert(text) => self.output(0).text_line(text)?,
            Action::Change(text) => {
                let range = self.ranges.get(at).copied();
                if range.is_none_or(|range| matches!(range, Range::Outside | Range::Closed))
                    || command.negated
                {
                    self.output(0).text_line(text)?;
                }
                return Ok(Step::EndSilent);
            }
            Action::Branch(to) => return Ok(Step::Jump(*to)),
            Action::BranchIf(to) => {
                if std::mem::take(&mut self.has_substituted) {
                    return Ok(Step::Jump(*to));
                }
            }
            Action::BranchUnless(to) => {
                if !std::mem::take(&mut self.has_substituted) {
                    return Ok(Step::Jump(*to));
                }
            }
            Action::Delete => return Ok(Step::EndSilent),
            Action::DeleteFirst => {
                if let Some(length) = memchr::memchr(end, &self.line) {
                    self.line.drain(..=length);
                    self.restarts = true;
                }
                return Ok(Step::EndSilent);
            }
            Action::Execute(text) => self.execute(text)?,
            Action::FileName => {
                let mut name = self.input.name().as_bytes().to_vec();
                name.push(end);
                self.output(0).text(&name)?;
            }
            Action::GetHold => {
                self.line.clone_from(&self.hold);
                self.has_end = self.hold_has_end;
            }
            Action::GetHoldAppend => {
                self.line.push(end);
                self.line.extend_from_slice(&self.hold);
                self.has_end = self.hold_has_end;
            }
            Action::Hold => {
                self.hold.clone_from(&self.line);
                self.hold_has_end = self.has_end;
            }
            Action::HoldAppend => {
                self.hold.push(end);
                self.hold.extend_from_slice(&self.line);
                self.hold_has_end = self.has_end;
            }
            Action::Exchange => {
                std::mem::swap(&mut self.line, &mut self.hold);
                std::mem::swap(&mut self.has_end, &mut self.hold_has_end);
            }
            Action::List(width) => {
                let text = listing(&self.line, width.unwrap_or(self.settings.line_length));
                self.output(0).text_line(&text)?;
            }
            Action::Next => return self.next(false),
            Action::NextAppend => return self.next(true),
            Action::Number => {
                let text = format!("{}\n", self.number);
                self.output(0).text_line(text.as_bytes())?;
            }
            Action::Print => self.print_line(0)?,
            Action::PrintFirst => self.print_first(0)?,
            Action::Quit(status) => return Ok(Step::Quit(*status)),
            Action::QuitSilent(status) => return Ok(Step::QuitSilent(*status)),
            Action::Read(name) => self.queue.push(Queued::File(name)),
            Action::ReadLine(name) => {
                let line = self.read_files.line(name, end)?;
                self.queue.extend(line.map(Queued::Line));
            }
            Action::Substitute(substitution) => self.substitute(substitution)?,
            Action::Translate(translation) => self.translate(translation),
            Action::Write(number) => self.print_line(*number)?,
            Action::WriteFirst(number) => self.print_first(*number)?,
            Action::Zap => self.line.clear(),
        }
        Ok(Step::Next)
    }

    /// Goes to the next line, which takes the place of the line or is appended. At the end the cycle ends.
    fn next(&mut self, appends: bool) -> Result<Step, Failure> {
        if self.input.is_last()? {
            return Ok(match self.settings.posix && appends {
                true => Step::EndSilent,
                false => Step::End,
            });
        }
        if appends {
            self.line.push(self.settings.line_end);
        } else {
            if !self.is_quiet() {
                self.print_line(0)?;
            }
            self.line.clear();
        }
        self.flush_queue()?;
        self.read_line()?;
        Ok(Step::Next)
    }

    fn substitute(&mut self, substitution: &Substitution) -> Result<(), Failure> {
        let regex = self.pattern(&substitution.pattern)?;
        let utf8 = self.settings.utf8;
        if !self
            .workspace
            .substitute(&mut self.line, &regex, substitution, utf8)
        {
            return Ok(());
        }
        self.has_substituted = true;
        if substitution.print_before {
            self.print_line(0)?;
        }
        if substitution.evaluate {
            self.evaluate()?;
        }
        if substitution.print {
            self.print_line(0)?;
        }
        match substitution.output {
            Some(number) => self.print_line(number),
            None => Ok(()),
        }
    }

    /// Returns a pattern, or the one that was used last, and remembers it.
    fn pattern(&mut self, pattern: &Pattern) -> Result<Regex, Failure> {
        match pattern {
            Some(regex) => {
                self.last_pattern = Some(regex.clone());
                Ok(regex.clone())
            }
            None => self.last_pattern.clone().ok_or_else(|| {
                Failure::usage("-e expression #1, char 0: no previous regular expression")
            }),
        }
    }

    fn translate(&mut self, translation: &Translation) {
        match translation {
            Translation::Bytes(table) => {
                for byte in &mut self.line {
                    *byte = table.get(usize::from(*byte)).copied().unwrap_or(*byte);
                }
            }
            Translation::Chars(table) => {
                let mut out = Vec::with_capacity(self.line.len());
                for chunk in self.line.utf8_chunks() {
                    for char in chunk.valid().chars() {
                        let char = table.get(&char).copied().unwrap_or(char);
                        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    out.extend_from_slice(chunk.invalid());
                }
                self.line = out;
            }
        }
    }
}
