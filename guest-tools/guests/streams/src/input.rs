//! What programs read: files by name, or standard input for `-`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// Bytes read at a time: a call of the host costs microseconds.
pub const CHUNK_BYTES: usize = 65_536;

/// Opens a file for reading, `-` being standard input.
pub fn open(name: &str) -> io::Result<Box<dyn BufRead>> {
    if name == "-" {
        return Ok(Box::new(BufReader::with_capacity(CHUNK_BYTES, io::stdin())));
    }
    file(name).map(|file| Box::new(BufReader::with_capacity(CHUNK_BYTES, file)) as Box<dyn BufRead>)
}

/// Opens a file that is no folder.
pub fn file(name: &str) -> io::Result<File> {
    let file = File::open(name)?;
    if file.metadata()?.is_dir() {
        return Err(process::Errno::IsDirectory.into());
    }
    Ok(file)
}

/// Skips bytes; returns how many there were.
pub fn skip(input: &mut dyn BufRead, bytes: u64) -> io::Result<u64> {
    let mut limited = input.take(bytes);
    io::copy(&mut limited, &mut io::sink())
}

/// Reads until `buffer` is full or the input ends; returns how much there is.
pub fn fill(input: &mut dyn BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Reads one line without its newline; none at the end. The flag says whether the newline was there.
pub fn line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    if input.read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    let is_complete = line.last() == Some(&b'\n');
    if is_complete {
        line.pop();
    }
    Ok(Some(is_complete))
}
