//! What the text programs read: files by name, `-` for standard input, and the words about those that fail.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use crate::quoting;
use crate::report::{complain, reason};

/// Bytes read at a time: a call of the host costs microseconds.
pub(crate) const CHUNK_BYTES: usize = 128 * 1024;

/// Opens a file for reading. A folder fails here and not later.
pub(crate) fn open(name: &str) -> io::Result<Box<dyn Read>> {
    if name == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(name)?;
    if file.metadata()?.is_dir() {
        return Err(process::Errno::IsDirectory.into());
    }
    Ok(Box::new(file))
}

/// Calls `each` for every file that can be opened and tells of the others, as `PROGRAM: NAME: reason`. Without names it is
/// standard input. Returns 1 if one failed, and the error of writing that ended it all.
pub(crate) fn for_each(
    program: &str,
    names: &[String],
    mut each: impl FnMut(&mut dyn Read) -> Result<(), Failure>,
) -> (u8, io::Result<()>) {
    let standard = ["-".to_owned()];
    let names = if names.is_empty() { &standard } else { names };
    let mut status = 0;
    for name in names {
        let outcome = open(name)
            .map_err(Failure::Read)
            .and_then(|mut input| each(&mut input));
        match outcome {
            Ok(()) => {}
            Err(Failure::Read(error)) => {
                let why = reason(&error);
                if program == "fmt" {
                    let name = quoting::quoted(name);
                    complain(
                        program,
                        format_args!("cannot open {name} for reading: {why}"),
                    );
                } else {
                    complain(program, format_args!("{}: {why}", quoting::shell(name)));
                }
                status = 1;
            }
            Err(Failure::Write(error)) => return (status, Err(error)),
        }
    }
    (status, Ok(()))
}

/// Calls `each` with every line, without its end, and whether the end was there: only the last may lack it.
pub(crate) fn each_line(
    input: &mut dyn Read,
    end: u8,
    mut each: impl FnMut(&[u8], bool) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut held = 0;
    loop {
        if held == buffer.len() {
            buffer.resize(held * 2, 0);
        }
        let read = match input.read(buffer.get_mut(held..).unwrap_or_default()) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Read(error)),
        };
        let filled = buffer.get(..held + read).unwrap_or_default();
        if read == 0 {
            if !filled.is_empty() {
                each(filled, false).map_err(Failure::Write)?;
            }
            return Ok(());
        }
        // What was held has no end in it.
        let (mut start, mut searched) = (0, held);
        while let Some(length) = filled
            .get(searched..)
            .and_then(|rest| memchr::memchr(end, rest))
        {
            let stop = searched + length;
            each(filled.get(start..stop).unwrap_or_default(), true).map_err(Failure::Write)?;
            (start, searched) = (stop + 1, stop + 1);
        }
        let all = held + read;
        buffer.copy_within(start..all, 0);
        held = all - start;
    }
}

/// Which side of a program failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input: the next file may be better.
    Read(io::Error),
    /// The output: there is no use in going on.
    Write(io::Error),
}
