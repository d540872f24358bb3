//! Opening archives: to read, whatever they are compressed with, and to write.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::rc::Rc;

use process::{Kind, OpenHow, Program, Stdio, Stream};

use super::block::{self, Block};
use super::input::{Reader, Source};
use super::output::{Sink, Writer};
use super::report::{Fatal, Report, quoted};
use super::settings::{Compression, Settings};
use crate::codec::{self, Compressor, Format, How};

fn failed(settings: &Settings, error: &io::Error) -> Fatal {
    Fatal::open(settings.archive.as_bytes(), error)
}

fn cannot_read(archive: &str, error: &io::Error) -> Fatal {
    let archive = quoted(archive.as_bytes());
    eprintln!("tar: {archive}: Cannot read: {}", process::message(error));
    Fatal::new("At beginning of tape, quitting now")
}

/// Opens the archive to read.
pub(crate) fn reader(settings: &Settings, report: &Rc<Report>) -> Result<Reader, Fatal> {
    let source = source(settings, &settings.archive)?;
    Ok(Reader::new(
        source,
        Rc::clone(report),
        settings.ignore_zeros,
    ))
}

/// Opens an archive of any name to read.
pub(crate) fn source(settings: &Settings, archive: &str) -> Result<Source, Fatal> {
    match &settings.compression {
        Compression::Program(words) => unpacked_by(settings, archive, words),
        Compression::Known(how) => {
            let stream = codec::open(archive).map_err(|error| failed(settings, &error))?;
            forced(archive, how.format, stream)
        }
        Compression::Unknown if archive == "-" => {
            let mut stream = codec::open(archive).map_err(|error| failed(settings, &error))?;
            let head = stream
                .fill_buf()
                .map_err(|error| cannot_read(archive, &error))?;
            if let Some(format) = found(head) {
                return Err(Fatal::new(format!(
                    "Archive is compressed. Use {} option",
                    option(format)
                )));
            }
            Ok(Source::Stream(Box::new(stream)))
        }
        Compression::Unknown => by_content(archive),
    }
}

/// Returns what a file that is no archive is compressed with.
fn found(head: &[u8]) -> Option<Format> {
    let is_plain = head
        .get(..512)
        .and_then(|bytes| Block::try_from(bytes).ok())
        .is_some_and(|block| block::is_header(&block));
    Format::of_magic(head).filter(|_| !is_plain)
}

fn option(format: Format) -> &'static str {
    match format {
        Format::Gzip => "-z",
        Format::Bzip2 => "-j",
        Format::Xz => "-J",
        Format::Lzma => "--lzma",
        Format::Zstd => "--zstd",
    }
}

fn by_content(archive: &str) -> Result<Source, Fatal> {
    let opened = File::open(archive).map_err(|error| Fatal::open(archive.as_bytes(), &error))?;
    let is_regular = process::stat(archive, true).is_ok_and(|stat| stat.kind == Kind::Regular);
    let mut stream = BufReader::with_capacity(65_536, opened);
    let head = stream
        .fill_buf()
        .map_err(|error| cannot_read(archive, &error))?;
    if let Some(format) = found(head) {
        return unpacked(archive, format, Box::new(stream));
    }
    if is_regular {
        // Jumping is for the file itself; what the buffer took is read again.
        let file = File::open(archive).map_err(|error| Fatal::open(archive.as_bytes(), &error))?;
        return Ok(Source::Plain(file));
    }
    Ok(Source::Stream(Box::new(stream)))
}

/// Unpacks by the format that was asked for, or, as GNU tar does for files, by the one that is there.
fn forced(archive: &str, format: Format, mut stream: Box<dyn BufRead>) -> Result<Source, Fatal> {
    let head = stream
        .fill_buf()
        .map_err(|error| cannot_read(archive, &error))?;
    let is = Format::of_magic(head);
    // The program zstd reads these formats too.
    if let Some(is) = is
        && (is == format || (format == Format::Zstd && is != Format::Bzip2))
    {
        return unpacked(archive, is, stream);
    }
    let (text, status) = match format {
        Format::Gzip if head.is_empty() => ("\ngzip: stdin: unexpected end of file", 1),
        Format::Gzip => ("\ngzip: stdin: not in gzip format", 1),
        Format::Bzip2 => ("bzip2: (stdin) is not a bzip2 file.", 2),
        Format::Xz => ("xz: (stdin): File format not recognized", 1),
        Format::Lzma => ("lzma: (stdin): File format not recognized", 1),
        Format::Zstd => ("zstd: /*stdin*\\: unsupported format ", 1),
    };
    eprintln!("{text}");
    eprintln!("tar: Child returned status {status}");
    Err(Fatal::new(""))
}

fn unpacked(archive: &str, format: Format, stream: Box<dyn BufRead>) -> Result<Source, Fatal> {
    let trailing = Rc::<Cell<bool>>::default();
    let reader = codec::reader(format, stream, Rc::clone(&trailing))
        .map_err(|error| cannot_read(archive, &error))?;
    Ok(Source::Stream(Box::new(Unpacked {
        reader,
        format,
        trailing,
    })))
}

/// An unpacker whose errors are told in its program's name.
struct Unpacked {
    reader: Box<dyn Read>,
    format: Format,
    trailing: Rc<Cell<bool>>,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let program = self.format.program();
        match self.reader.read(buffer) {
            Ok(0) if self.trailing.get() && self.format == Format::Gzip => {
                eprintln!("\ngzip: stdin: decompression OK, trailing garbage ignored");
                Err(io::Error::other("Child returned status 2"))
            }
            Ok(read) => Ok(read),
            Err(error) => {
                let words = match error.kind() {
                    io::ErrorKind::UnexpectedEof => "unexpected end of file".to_owned(),
                    _ => process::message(&error),
                };
                if self.format == Format::Gzip {
                    eprintln!();
                }
                eprintln!("{program}: stdin: {words}");
                // The program is a child of the real tar.
                Err(io::Error::other("Child returned status 1"))
            }
        }
    }
}

fn unpacked_by(settings: &Settings, archive: &str, words: &[String]) -> Result<Source, Fatal> {
    let input = if archive == "-" {
        Stdio::Inherit
    } else {
        let descriptor = process::open(archive, OpenHow::READ, 0)
            .map_err(|error| failed(settings, &error.into()))?;
        Stdio::from(descriptor)
    };
    let (name, rest) = words
        .split_first()
        .ok_or_else(|| Fatal::new("no program"))?;
    let mut running = Program::new(name)
        .args(rest)
        .arg("-d")
        .stdin(input)
        .stdout(Stdio::Piped)
        .spawn()
        .map_err(|error| Fatal::new(format!("{name}: Cannot exec: {error}")))?;
    let output = running.stdout.take();
    let output = output.ok_or_else(|| Fatal::new(format!("{name}: no output")))?;
    Ok(Source::Stream(Box::new(Child {
        output: Stream(output),
        running,
    })))
}

/// What another program unpacks.
struct Child {
    output: Stream,
    running: process::Running,
}

impl Read for Child {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            let status = self.running.wait();
            if !status.is_success() {
                let text = format!("Child returned status {}", status.code());
                return Err(io::Error::other(text));
            }
        }
        Ok(read)
    }
}

/// Opens the archive to write anew.
pub(crate) fn writer(settings: &Settings) -> Result<Writer, Fatal> {
    let make = || -> io::Result<Box<dyn Write>> {
        Ok(if settings.archive == "-" {
            Box::new(BufWriter::with_capacity(65_536, io::stdout().lock()))
        } else {
            Box::new(BufWriter::with_capacity(
                65_536,
                File::create(&settings.archive)?,
            ))
        })
    };
    let sink = match &settings.compression {
        Compression::Unknown => Sink::Plain(make().map_err(|error| failed(settings, &error))?),
        Compression::Known(how) => {
            let how = How {
                header: Default::default(),
                ..how.clone()
            };
            let out = make().map_err(|error| failed(settings, &error))?;
            Sink::Packed(Compressor::new(&how, out).map_err(|error| failed(settings, &error))?)
        }
        Compression::Program(words) => packed_by(settings, words)?,
    };
    Ok(Writer::new(
        sink,
        settings.dialect,
        settings.record_bytes,
        settings.deleted_records.clone(),
    ))
}

fn packed_by(settings: &Settings, words: &[String]) -> Result<Sink, Fatal> {
    let output = if settings.archive == "-" {
        Stdio::Inherit
    } else {
        let descriptor = process::open(&settings.archive, OpenHow::WRITE, 0o666)
            .map_err(|error| failed(settings, &error.into()))?;
        Stdio::from(descriptor)
    };
    let (name, rest) = words
        .split_first()
        .ok_or_else(|| Fatal::new("no program"))?;
    let mut running = Program::new(name)
        .args(rest)
        .stdin(Stdio::Piped)
        .stdout(output)
        .spawn()
        .map_err(|error| Fatal::new(format!("{name}: Cannot exec: {error}")))?;
    let input = running.stdin.take();
    let input = input.ok_or_else(|| Fatal::new(format!("{name}: no input")))?;
    Ok(Sink::Piped(Stream(input), running))
}
