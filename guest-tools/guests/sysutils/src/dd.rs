//! dd: copies blocks, and converts them on the way.

mod convert;
mod operands;
mod report;
mod tables;

use std::rc::Rc;

use gnu_options::named::{self, Item, Order};
use process::{Descriptor, Errno, OpenHow, Whence};

use crate::quoting;
use crate::report::{complain, help, usage, version};

use convert::Converter;
use operands::Operands;
use report::Tally;

const HELP: &str = "Usage: dd [OPERAND]...
  or:  dd OPTION
Copy a file, converting and formatting according to the operands.

  bs=BYTES        read and write up to BYTES at a time (512)
  cbs=BYTES       convert BYTES at a time
  conv=CONVS      ascii ebcdic ibm block unblock lcase ucase sparse swab sync excl nocreat notrunc noerror
                  fdatasync fsync
  count=N         copy only N input blocks
  ibs=BYTES       read up to BYTES at a time
  if=FILE         read from FILE instead of stdin
  iflag=FLAGS     fullblock count_bytes skip_bytes nofollow ...
  obs=BYTES       write BYTES at a time
  of=FILE         write to FILE instead of stdout
  oflag=FLAGS     append seek_bytes nofollow ...
  seek=N          (or oseek=N) skip N output blocks
  skip=N          (or iseek=N) skip N input blocks
  status=LEVEL    none, noxfer, progress

N and BYTES may have the suffixes c=1, w=2, b=512, kB=1000, K=1024, MB, M, GB, G, ..., B for bytes, and factors
joined by x.
";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let words = match named::parse(arguments, "", Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut given = Vec::new();
    for item in words {
        match item {
            Item::Option("help", _) => return help(HELP),
            Item::Option(..) => return version(program),
            Item::Operand(word) => given.push(word),
        }
    }
    let operands = match Operands::parse(&given) {
        Ok(operands) => operands,
        Err((message, true)) => return usage(program, message, 1),
        Err((message, false)) => {
            complain(program, message);
            return 1;
        }
    };
    let tally = Tally::new(&operands);
    match Copy::open(program, operands, tally) {
        Ok(mut copy) => {
            let outcome = copy.run();
            copy.end(outcome)
        }
        Err(message) => {
            complain(program, message);
            1
        }
    }
}

struct Copy<'a> {
    program: &'a str,
    operands: Operands,
    input: Rc<Descriptor>,
    output: Rc<Descriptor>,
    input_name: String,
    output_name: String,
    input_size: usize,
    output_size: usize,
    converter: Converter,
    /// What is to be written when a block is full.
    pending: Vec<u8>,
    /// Zeros were skipped at the end: the file has to be grown over them.
    ends_in_hole: bool,
    tally: Tally,
    has_failed: bool,
}

impl<'a> Copy<'a> {
    fn open(program: &'a str, operands: Operands, tally: Tally) -> Result<Self, String> {
        let failed =
            |name: &str, error: Errno| format!("failed to open {}: {error}", quoting::quoted(name));
        let (input, input_name) = match &operands.input {
            Some(name) => {
                let how = OpenHow {
                    no_follow: operands.reads("nofollow"),
                    directory: operands.reads("directory"),
                    ..OpenHow::READ
                };
                let file = process::open(name, how, 0).map_err(|error| failed(name, error))?;
                (Rc::new(file), name.clone())
            }
            None => {
                let file = process::standard(0)
                    .ok_or_else(|| failed("standard input", Errno::BadDescriptor))?;
                (file, "standard input".to_owned())
            }
        };
        let size = |given: Option<u64>| {
            let size = operands.both_size.or(given).unwrap_or(512);
            usize::try_from(size).map_err(|_| "memory exhausted".to_owned())
        };
        let (input_size, output_size) = (size(operands.input_size)?, size(operands.output_size)?);
        let (output, output_name) = match &operands.output {
            Some(name) => {
                let how = OpenHow {
                    create: !operands.converts("nocreat"),
                    exclusive: operands.converts("excl"),
                    truncate: operands.seek.value == 0 && !operands.converts("notrunc"),
                    append: operands.writes("append"),
                    no_follow: operands.writes("nofollow"),
                    ..OpenHow::WRITE
                };
                let file = process::open(name, how, 0o666).map_err(|error| failed(name, error))?;
                if operands.seek.value > 0 && !operands.converts("notrunc") {
                    let end = operands.seek.bytes(output_size as u64);
                    // A device has no size to cut.
                    let _ = file.set_size(end);
                }
                (Rc::new(file), name.clone())
            }
            None => {
                let file = process::standard(1)
                    .ok_or_else(|| failed("standard output", Errno::BadDescriptor))?;
                (file, "standard output".to_owned())
            }
        };
        Ok(Self {
            program,
            converter: Converter::new(&operands),
            operands,
            input,
            output,
            input_name,
            output_name,
            input_size,
            output_size,
            pending: Vec::new(),
            ends_in_hole: false,
            tally,
            has_failed: false,
        })
    }

    /// Copies. An error is a message.
    fn run(&mut self) -> Result<(), String> {
        self.skip()?;
        self.seek()?;
        let whole = self.input_size;
        let limit = self.operands.count.map(|count| count.blocks(whole as u64));
        let mut before = 0;
        loop {
            let size = match limit {
                Some((blocks, rest)) if self.tally.read() >= blocks => {
                    if rest == 0 || self.tally.read() > blocks {
                        break;
                    }
                    usize::try_from(rest).unwrap_or(whole)
                }
                _ => whole,
            };
            let mut block = match self.read(size) {
                Ok(block) => block,
                Err(error) => {
                    self.fail(format_args!(
                        "error reading {}: {error}",
                        quoting::quoted(&self.input_name)
                    ));
                    if !self.operands.converts("noerror") {
                        break;
                    }
                    self.tally.show();
                    if self.input.seek(whole as i64, Whence::Current).is_err() {
                        break;
                    }
                    if !self.operands.converts("sync") {
                        continue;
                    }
                    vec![0; whole]
                }
            };
            if block.is_empty() {
                break;
            }
            self.warn_of_partial(&mut before, block.len(), limit.is_some());
            self.tally.count_read(block.len() == whole);
            if block.len() < whole && self.operands.converts("sync") {
                let pads_text =
                    self.operands.converts("block") || self.operands.converts("unblock");
                block.resize(whole, if pads_text { b' ' } else { 0 });
            }
            if self.operands.reblocks() {
                self.converter.convert(&mut block, &mut self.pending);
                self.write_full()?;
            } else {
                let is_full = block.len() == whole;
                self.write(&block)?;
                self.tally.count_written(block.len(), is_full);
            }
        }
        self.converter.finish(&mut self.pending);
        self.tally.truncated = self.converter.truncated;
        self.write_full()?;
        if !self.pending.is_empty() {
            let last = std::mem::take(&mut self.pending);
            self.write(&last)?;
            self.tally.count_written(last.len(), false);
        }
        if self.ends_in_hole
            && let Ok(end) = self.output.seek(0, Whence::Current)
        {
            self.output
                .set_size(end)
                .map_err(|error| self.write_error(error))?;
        }
        Ok(())
    }

    fn read(&self, size: usize) -> Result<Vec<u8>, Errno> {
        let mut block = self.input.read_blocking(size)?;
        if self.operands.reads("fullblock") {
            while block.len() < size {
                let more = self.input.read_blocking(size - block.len())?;
                if more.is_empty() {
                    break;
                }
                block.extend_from_slice(&more);
            }
        }
        Ok(block)
    }

    /// Says once that a pipe gave less than a block, where blocks are counted.
    fn warn_of_partial(&mut self, before: &mut usize, length: usize, is_counted: bool) {
        let matters = (is_counted || self.operands.skip.value > 0)
            && !self.operands.reblocks()
            && !self.operands.reads("fullblock");
        if matters && *before > 0 && *before < self.input_size && !self.tally.has_warned {
            if self.operands.level != "none" {
                let plural = if *before == 1 { "" } else { "s" };
                complain(
                    self.program,
                    format_args!(
                        "warning: partial read ({before} byte{plural}); suggest iflag=fullblock"
                    ),
                );
            }
            self.tally.has_warned = true;
        }
        *before = length;
    }

    fn skip(&mut self) -> Result<(), String> {
        let mut left = self.operands.skip.bytes(self.input_size as u64);
        if left == 0 {
            return Ok(());
        }
        let distance = i64::try_from(left).map_err(|_| {
            format!(
                "{}: cannot skip: Invalid argument",
                quoting::shell(&self.input_name)
            )
        })?;
        let stat = self.input.stat().ok();
        let is_regular = stat.is_some_and(|stat| stat.kind == process::Kind::Regular);
        if let Ok(place) = self.input.seek(0, Whence::Current)
            && self.input.seek(distance, Whence::Current).is_ok()
        {
            let size = stat.map_or(0, |stat| stat.size);
            if is_regular && place.saturating_add(left) > size {
                self.note_short_skip();
            }
            return Ok(());
        }
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX);
            match self.input.read_blocking(wanted.min(self.input_size)) {
                Ok(block) if block.is_empty() => {
                    self.note_short_skip();
                    break;
                }
                Ok(block) => left -= block.len() as u64,
                Err(error) => {
                    return Err(format!(
                        "error reading {}: {error}",
                        quoting::quoted(&self.input_name)
                    ));
                }
            }
        }
        Ok(())
    }

    fn note_short_skip(&self) {
        if self.operands.level != "none" {
            let name = quoting::shell(&self.input_name);
            complain(
                self.program,
                format_args!("{name}: cannot skip to specified offset"),
            );
        }
    }

    fn seek(&mut self) -> Result<(), String> {
        let mut left = self.operands.seek.bytes(self.output_size as u64);
        if left == 0 {
            return Ok(());
        }
        let name = quoting::shell(&self.output_name);
        let distance =
            i64::try_from(left).map_err(|_| format!("{name}: cannot seek: Invalid argument"))?;
        if self.output.seek(distance, Whence::Current).is_ok() {
            return Ok(());
        }
        // What cannot be sought gets zeros.
        let zeros = vec![0; self.output_size];
        while left > 0 {
            let part = zeros
                .get(..usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len()))
                .unwrap_or(&zeros);
            self.output
                .write_all_blocking(part)
                .map_err(|error| self.write_error(error))?;
            left -= part.len() as u64;
        }
        Ok(())
    }

    /// Writes all full blocks that are pending.
    fn write_full(&mut self) -> Result<(), String> {
        let mut done = 0;
        let pending = std::mem::take(&mut self.pending);
        while let Some(block) = pending.get(done..done + self.output_size) {
            self.write(block)?;
            self.tally.count_written(block.len(), true);
            done += self.output_size;
        }
        self.pending = pending;
        self.pending.drain(..done);
        Ok(())
    }

    fn write(&mut self, block: &[u8]) -> Result<(), String> {
        if self.operands.converts("sparse")
            && block.len() == self.output_size
            && block.iter().all(|byte| *byte == 0)
            && self
                .output
                .seek(block.len() as i64, Whence::Current)
                .is_ok()
        {
            self.ends_in_hole = true;
            return Ok(());
        }
        self.ends_in_hole = false;
        self.output
            .write_all_blocking(block)
            .map_err(|error| self.write_error(error))
    }

    fn write_error(&self, error: Errno) -> String {
        format!(
            "error writing {}: {error}",
            quoting::quoted(&self.output_name)
        )
    }

    fn fail(&mut self, message: impl std::fmt::Display) {
        complain(self.program, message);
        self.has_failed = true;
    }

    fn end(&mut self, outcome: Result<(), String>) -> u8 {
        if let Err(message) = outcome {
            self.fail(message);
        }
        self.tally.show();
        u8::from(self.has_failed)
    }
}
