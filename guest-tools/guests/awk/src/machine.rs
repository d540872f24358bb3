//! The machine that runs a compiled program: its state, and the loop over operations.
//!
//! Calls of AWK functions are frames on a stack of the machine's own. The loop is entered again only for a
//! comparison function of a sort and for BEGINFILE and ENDFILE, and that depth is bounded.

mod arithmetic;
mod calls;
mod functions;
mod lines;
mod places;
mod print;
mod sorting;
mod step;
mod substitution;
mod text_functions;
mod variables;

pub(crate) use lines::assignment;

use std::rc::Rc;

use crate::Error;
use crate::input::{Reader, Separator};
use crate::op::{Op, Program, SPECIALS};
use crate::random::Random;
use crate::record::Record;
use crate::regex::Regexes;
use crate::split::Splitter;
use crate::streams::Streams;
use crate::value::Value;

/// How deep functions may call each other. A program that calls itself for ever ends here with a message, before
/// it takes all memory.
pub(crate) const CALLS_MAX: usize = 200_000;

/// How deep the loop may be entered again (sorts within sorts).
const ENTRIES_MAX: u32 = 16;

/// How a piece of code ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// At its end.
    Done,
    /// With `next`.
    Next,
    /// With `nextfile`.
    NextFile,
    /// With `exit`.
    Exit,
}

/// A call of an AWK function.
struct Frame {
    return_to: usize,
    /// The base of the caller.
    base: usize,
    function: u32,
}

/// What the special variables mean, kept ready for use.
struct Settings {
    output_separator: Vec<u8>,
    record_end: Vec<u8>,
    key_separator: Vec<u8>,
    number_format: Vec<u8>,
    print_format: Vec<u8>,
    splitter: Rc<Splitter>,
    /// Which variable splits: FS, FIELDWIDTHS or FPAT, the last that was set.
    split_by: crate::op::Special,
    separator: Separator,
}

/// The machine.
pub(crate) struct Machine {
    program: Rc<Program>,
    /// What messages begin with: the name the program was called by.
    name: String,
    stack: Vec<Value>,
    frames: Vec<Frame>,
    base: usize,
    place: usize,
    entries: u32,
    globals: Vec<Value>,
    record: Record,
    record_number: f64,
    file_record_number: f64,
    settings: Settings,
    regexes: Regexes,
    streams: Streams,
    ranges: Vec<bool>,
    random: Random,
    got_text: Value,
    got_status: f64,
    exit_status: u8,
    main: Option<Reader>,
    main_argument: usize,
    has_read_file: bool,
    is_input_over: bool,
    /// Whether BEGINFILE or ENDFILE ended the program.
    is_exit_asked: bool,
    /// In which part of the program it is, for messages and for what is allowed there.
    is_in_rules: bool,
    buffer: Vec<u8>,
    terminator: Vec<u8>,
}

impl Machine {
    /// Returns a machine for a program, its variables as at the start.
    pub(crate) fn new(program: Program, name: &str) -> Self {
        let splitter = Rc::new(Splitter::Blanks);
        let globals = vec![Value::Empty; program.globals.len().max(SPECIALS.len())];
        let ranges = vec![false; program.ranges as usize];
        Self {
            program: Rc::new(program),
            name: name.to_owned(),
            stack: Vec::with_capacity(64),
            frames: Vec::new(),
            base: 0,
            place: 0,
            entries: 0,
            globals,
            record: Record::new(Rc::clone(&splitter)),
            record_number: 0.0,
            file_record_number: 0.0,
            settings: Settings {
                output_separator: b" ".to_vec(),
                record_end: b"\n".to_vec(),
                key_separator: vec![0x1c],
                number_format: b"%.6g".to_vec(),
                print_format: b"%.6g".to_vec(),
                splitter,
                split_by: crate::op::Special::Fs,
                separator: Separator::Newline,
            },
            regexes: Regexes::default(),
            streams: Streams::new(),
            ranges,
            random: Random::default(),
            got_text: Value::Empty,
            got_status: 0.0,
            exit_status: 0,
            main: None,
            main_argument: 1,
            has_read_file: false,
            is_input_over: false,
            is_exit_asked: false,
            is_in_rules: false,
            buffer: Vec::new(),
            terminator: Vec::new(),
        }
    }

    /// Runs the whole program and returns its exit status.
    pub(crate) fn run_program(&mut self) -> Result<u8, Error> {
        let result = self.parts();
        let closed = self.streams.close_all();
        result?;
        closed.map_err(|message| self.fatal(&message))?;
        Ok(self.exit_status)
    }

    fn parts(&mut self) -> Result<(), Error> {
        let program = Rc::clone(&self.program);
        let mut flow = Flow::Done;
        if let Some(begin) = program.begin {
            flow = self.run(begin)?;
            if matches!(flow, Flow::Next | Flow::NextFile) {
                return Err(self.fatal("`next' used in BEGIN action"));
            }
        }
        let needs_input = program.rules.is_some()
            || program.end.is_some()
            || program.begin_file.is_some()
            || program.end_file.is_some();
        if flow != Flow::Exit && needs_input {
            self.is_in_rules = true;
            self.records(program.rules)?;
        }
        // `exit` in BEGIN or a rule still runs END.
        if let Some(end) = program.end {
            let flow = self.run(end)?;
            if matches!(flow, Flow::Next | Flow::NextFile) {
                return Err(self.fatal("`next' used in END action"));
            }
        }
        Ok(())
    }

    /// Runs the rules for each record of the main input.
    fn records(&mut self, rules: Option<u32>) -> Result<(), Error> {
        while self.next_main_record()? {
            let Some(rules) = rules else { continue };
            match self.run(rules)? {
                Flow::Done | Flow::Next => {}
                Flow::NextFile => {
                    if let Flow::Exit = self.skip_file()? {
                        break;
                    }
                }
                Flow::Exit => break,
            }
        }
        Ok(())
    }

    /// Runs code from a place until it ends.
    pub(super) fn run(&mut self, entry: u32) -> Result<Flow, Error> {
        if self.entries >= ENTRIES_MAX {
            return Err(self.fatal("too many nested calls from sorting functions"));
        }
        self.entries += 1;
        let (frames, height, base, place) =
            (self.frames.len(), self.stack.len(), self.base, self.place);
        let flow = self.execute(entry as usize);
        self.entries -= 1;
        let flow = flow?;
        if flow != Flow::Done {
            // `next` or `exit` from within functions and loops leaves their values behind.
            self.frames.truncate(frames);
            self.stack.truncate(height);
        }
        self.base = base;
        self.place = place;
        Ok(flow)
    }

    /// Returns a fatal error at the current operation, with gawk's words for where that is.
    pub(super) fn fatal(&self, what: &str) -> Error {
        self.located(&format!("fatal: {what}"))
    }

    pub(super) fn located(&self, what: &str) -> Error {
        let line = self
            .program
            .lines
            .get(self.place.saturating_sub(1))
            .copied()
            .unwrap_or(1);
        Error::fatal(format!(
            "{}:{line}: {}{what}",
            self.program.source_name,
            self.position()
        ))
    }

    /// Writes a warning and goes on.
    pub(super) fn warn(&mut self, what: &str) {
        let line = self
            .program
            .lines
            .get(self.place.saturating_sub(1))
            .copied()
            .unwrap_or(1);
        let text = format!(
            "{}: {}:{line}: {}warning: {what}\n",
            self.name,
            self.program.source_name,
            self.position()
        );
        self.streams.write_error(text.as_bytes());
    }

    fn position(&self) -> String {
        if !self.is_in_rules || self.file_record_number == 0.0 {
            return String::new();
        }
        let name = self.global_bytes(crate::op::Special::Filename);
        let name = if name.is_empty() {
            "-".into()
        } else {
            String::from_utf8_lossy(&name).into_owned()
        };
        format!("(FILENAME={name} FNR={}) ", self.file_record_number)
    }

    pub(super) fn code(&self) -> Rc<Program> {
        Rc::clone(&self.program)
    }

    /// Returns the operation at a place.
    #[inline]
    fn op(program: &Program, place: usize) -> Option<Op> {
        program.code.get(place).copied()
    }
}
