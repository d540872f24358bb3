//! `-l`: what is in compressed files.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::words::{self, Failure};
use super::{Program, Request, one};
use crate::codec::{self, Counted, Format};
use crate::gzip;

/// Lists all operands and returns the exit status.
pub(super) fn all(request: &Request, operands: &[String]) -> u8 {
    match request.program {
        Program::Gzip => gzip(request, operands),
        Program::Xz => xz(request, operands),
        Program::Zstd => zstd(request, operands),
        Program::Bzip2 => {
            eprintln!("{}: Bad flag `-l'", request.called);
            1
        }
    }
}

/// Returns how much shorter gzip made a file.
pub(super) fn gzip_ratio(packed: u64, plain: u64, frame: u64) -> String {
    let data = packed as f64 - frame as f64;
    let ratio = if plain == 0 {
        0.0
    } else {
        (plain as f64 - data) / plain as f64 * 100.0
    };
    format!("{ratio:5.1}%")
}

fn gzip(request: &Request, operands: &[String]) -> u8 {
    let mut status = 0;
    let (mut packed, mut plain, mut files, mut frame) = (0, 0, 0, 0);
    for path in operands {
        let outcome = gzip_one(request, path);
        let (packed_one, plain_one, sum, header) = match outcome {
            Ok(found) => found,
            Err(failure) => {
                status = words::tell(request, &failure).max(status);
                continue;
            }
        };
        if files == 0 && request.quiet == 0 {
            if request.verbose > 0 {
                print!("method  crc     date  time  ");
            }
            println!(
                "{:>19} {:>19}  ratio uncompressed_name",
                "compressed", "uncompressed"
            );
        }
        files += 1;
        frame = 18 + header.name.as_ref().map_or(0, |name| name.len() as u64 + 1);
        packed += packed_one;
        plain += plain_one;
        if request.verbose > 0 {
            let time = match (header.modified, process::stat(path, true)) {
                (0, Ok(stat)) => stat.modified.seconds,
                (seconds, _) => i64::from(seconds),
            };
            print!(
                "defla {sum:08x} {} ",
                crate::times::show(time, "%b %e %H:%M")
            );
        }
        let name = if path == "-" {
            "stdout"
        } else {
            one::listed_name(path)
        };
        println!(
            "{packed_one:>19} {plain_one:>19} {} {name}",
            gzip_ratio(packed_one, plain_one, frame)
        );
    }
    if files > 1 {
        if request.verbose > 0 {
            print!("{:28}", "");
        }
        println!(
            "{packed:>19} {plain:>19} {} (totals)",
            gzip_ratio(packed, plain, frame)
        );
    }
    status
}

fn gzip_one(request: &Request, path: &str) -> Result<(u64, u64, u32, gzip::Header), Failure> {
    let path = &match process::stat(path, true) {
        Err(_) if path != "-" && !path.ends_with(&request.suffix) => {
            format!("{path}{}", request.suffix)
        }
        _ => path.to_owned(),
    };
    if let Ok(stat) = process::stat(path, true)
        && stat.kind == process::Kind::Directory
    {
        return Err(words::directory(request, path));
    }
    let shown = if path == "-" { "stdin" } else { path };
    let mut source = codec::open(path).map_err(|error| words::missing(request, path, &error))?;
    let damaged = |error: io::Error| words::damaged(request, Format::Gzip, shown, None, &error);
    let head = source.fill_buf().map_err(damaged)?;
    if head.len() < 2 {
        return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
    }
    if Format::of_magic(head) != Some(Format::Gzip) {
        return Err(words::other_format(request, shown));
    }
    let header = gzip::header(&mut &*head).map_err(damaged)?;
    let (counted, packed) = Counted::new(source);
    let mut reader = codec::reader(Format::Gzip, counted, Default::default()).map_err(damaged)?;
    let mut sum = Summed::default();
    let plain = codec::pump(reader.as_mut(), &mut sum).map_err(damaged)?;
    Ok((packed.get(), plain, sum.0.sum(), header))
}

#[derive(Default)]
struct Summed(flate2::Crc);

impl io::Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a size as xz writes it.
pub(super) fn nice(size: u64) -> String {
    if size < 10_000 {
        return format!("{size} B");
    }
    let mut value = size as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        value /= 1024.0;
        unit = next;
        if value <= 9999.9 {
            break;
        }
    }
    format!("{value:.1} {unit}")
}

/// Returns a ratio as xz writes it.
pub(super) fn xz_ratio(packed: u64, plain: u64) -> String {
    let ratio = packed as f64 / plain as f64;
    if plain == 0 || ratio > 9.999 {
        "---".to_owned()
    } else {
        format!("{ratio:.3}")
    }
}

/// What an xz file is made of.
#[derive(Default)]
struct Parts {
    streams: u64,
    blocks: u64,
    packed: u64,
    plain: u64,
    padding: u64,
    /// Bit n: a stream has the check n.
    checks: u32,
}

impl Parts {
    fn checks(&self) -> String {
        let names = [(0, "None"), (1, "CRC32"), (4, "CRC64"), (10, "SHA-256")];
        let found: Vec<&str> = names
            .iter()
            .filter(|(check, _)| self.checks & (1 << check) != 0)
            .map(|(_, name)| *name)
            .collect();
        found.join(",")
    }

    fn line(&self, name: &str) {
        println!(
            "{:5} {:7}  {:>11}  {:>11}  {:>5}  {:<7} {name}",
            self.streams,
            self.blocks,
            nice(self.packed),
            nice(self.plain),
            xz_ratio(self.packed, self.plain),
            self.checks()
        );
    }

    fn robot(&self) -> String {
        format!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}",
            self.streams,
            self.blocks,
            self.packed,
            self.plain,
            xz_ratio(self.packed, self.plain),
            self.checks(),
            self.padding
        )
    }
}

fn xz(request: &Request, operands: &[String]) -> u8 {
    let mut status = 0;
    let mut files = 0;
    let mut totals = Parts::default();
    for path in operands {
        if path == "-" {
            eprintln!(
                "{}: --list does not support reading from standard input",
                request.called
            );
            status = 1;
            continue;
        }
        let parts = match xz_file(request, path) {
            Ok(parts) => parts,
            Err(failure) => {
                status = words::tell(request, &failure).max(status);
                continue;
            }
        };
        if request.robot {
            println!("name\t{path}\nfile\t{}", parts.robot());
        } else {
            if files == 0 {
                println!("Strms  Blocks   Compressed Uncompressed  Ratio  Check   Filename");
            }
            parts.line(path);
        }
        files += 1;
        totals.streams += parts.streams;
        totals.blocks += parts.blocks;
        totals.packed += parts.packed;
        totals.plain += parts.plain;
        totals.padding += parts.padding;
        totals.checks |= parts.checks;
    }
    if request.robot && files > 0 {
        println!("totals\t{}\t{files}", totals.robot());
    } else if files > 1 {
        println!("{:-<79}", "");
        totals.line(&format!("{files} files"));
    }
    status
}

fn xz_file(request: &Request, path: &str) -> Result<Parts, Failure> {
    let stat =
        process::stat(path, true).map_err(|error| words::missing(request, path, &error.into()))?;
    if stat.kind == process::Kind::Directory {
        return Err(words::directory(request, path));
    }
    let mut file = File::open(path).map_err(|error| words::missing(request, path, &error))?;
    let mut magic = [0; 6];
    if file.read_exact(&mut magic).is_err() || Format::of_magic(&magic) != Some(Format::Xz) {
        return Err(words::other_format(request, path));
    }
    xz_parts(&mut file, stat.size)
        .map_err(|error| words::damaged(request, Format::Xz, path, None, &error))
}

/// Reads the streams from the last to the first: each ends with an index of its blocks.
fn xz_parts(file: &mut File, size: u64) -> io::Result<Parts> {
    const ENDS_BYTES: u64 = 12;
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let mut parts = Parts {
        packed: size,
        ..Parts::default()
    };
    let mut end = size;
    while end > 0 {
        let at = end.checked_sub(ENDS_BYTES).ok_or_else(bad)?;
        file.seek(SeekFrom::Start(at))?;
        let mut footer = [0; 12];
        file.read_exact(&mut footer)?;
        let [_, _, _, _, size0, size1, size2, size3, _, check, magic @ ..] = footer;
        if magic == [0, 0] && footer.ends_with(&[0; 4]) {
            end = end.checked_sub(4).ok_or_else(bad)?;
            parts.padding += 4;
            continue;
        }
        if magic != *b"YZ" {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let index_size = (u64::from(u32::from_le_bytes([size0, size1, size2, size3])) + 1) * 4;
        let index_at = at.checked_sub(index_size).ok_or_else(bad)?;
        file.seek(SeekFrom::Start(index_at))?;
        let mut index = io::BufReader::new(file.take(index_size));
        index.read_exact(&mut [0])?;
        let blocks = variable(&mut index)?;
        let mut data = 0_u64;
        for _ in 0..blocks {
            let unpadded = variable(&mut index)?;
            data = data
                .checked_add(unpadded.checked_next_multiple_of(4).ok_or_else(bad)?)
                .ok_or_else(bad)?;
            parts.plain = parts.plain.saturating_add(variable(&mut index)?);
        }
        end = index_at
            .checked_sub(data)
            .and_then(|begin| begin.checked_sub(ENDS_BYTES))
            .ok_or_else(bad)?;
        parts.streams += 1;
        parts.blocks += blocks;
        parts.checks |= 1 << (check & 15);
    }
    Ok(parts)
}

/// Reads a number of seven bits a byte.
fn variable(source: &mut impl Read) -> io::Result<u64> {
    let mut number = 0;
    for place in 0..9 {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        let [byte] = byte;
        number |= u64::from(byte & 0x7f) << (place * 7);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Returns a size as zstd writes it, the unit in a column of its own width.
pub(super) fn human(size: u64, unit_width: usize) -> String {
    let mut value = size as f64;
    let mut unit = " B";
    for next in [" KiB", " MiB", " GiB", " TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let digits = match value {
        _ if unit == " B" => 0,
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value > 1.0 => 2,
        _ => 3,
    };
    format!("{value:6.digits$}{unit:>unit_width$}")
}

fn zstd(request: &Request, operands: &[String]) -> u8 {
    let mut status = 0;
    println!("Frames  Skips  Compressed  Uncompressed  Ratio  Check  Filename");
    for path in operands {
        if path == "-" {
            eprintln!("zstd: --list does not support reading from standard input ");
            status = 1;
            continue;
        }
        match zstd_line(request, path) {
            Ok(line) => println!("{line}"),
            Err(failure) => status = words::tell(request, &failure).max(status),
        }
    }
    status
}

fn zstd_line(request: &Request, path: &str) -> Result<String, Failure> {
    let damaged = |error: io::Error| words::damaged(request, Format::Zstd, path, None, &error);
    let missing = |error: io::Error| words::missing(request, path, &error);
    let size = process::stat(path, true)
        .map_err(|error| missing(error.into()))?
        .size;
    let mut file = one::buffered(path).map_err(missing)?;
    if Format::of_magic(file.fill_buf().map_err(damaged)?) != Some(Format::Zstd) {
        return Err(Failure::new(
            1,
            format!("{path}: File \"{path}\" not compressed by zstd"),
        ));
    }
    let (frames, skips, has_check) = zstd_frames(&mut file).map_err(damaged)?;
    let file = one::buffered(path).map_err(missing)?;
    let mut reader = codec::reader(Format::Zstd, file, Default::default()).map_err(damaged)?;
    let plain = codec::pump(reader.as_mut(), &mut io::sink()).map_err(damaged)?;
    let ratio = if size == 0 {
        0.0
    } else {
        plain as f64 / size as f64
    };
    let check = if has_check { "XXH64" } else { "None" };
    Ok(format!(
        "{frames:6}  {skips:5}  {}  {:>12}  {ratio:5.3}  {check:>5}  {path}",
        human(size, 4),
        human(plain, 4),
    ))
}

/// Counts frames and those that hold nothing; says whether the first has a checksum.
fn zstd_frames(file: &mut io::BufReader<File>) -> io::Result<(u64, u64, bool)> {
    let (mut frames, mut skips, mut check) = (0, 0, None);
    loop {
        let mut magic = [0; 4];
        if file.fill_buf()?.is_empty() {
            return Ok((frames, skips, check.unwrap_or(false)));
        }
        file.read_exact(&mut magic)?;
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = magic {
            let mut size = [0; 4];
            file.read_exact(&mut size)?;
            file.seek_relative(i64::from(u32::from_le_bytes(size)))?;
            skips += 1;
            continue;
        }
        let mut descriptor = [0];
        file.read_exact(&mut descriptor)?;
        let [descriptor] = descriptor;
        let is_single = descriptor & 0x20 != 0;
        let dictionary = [0, 1, 2, 4]
            .get(usize::from(descriptor & 3))
            .copied()
            .unwrap_or(0);
        let content = match descriptor >> 6 {
            0 => i64::from(is_single),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        file.seek_relative(i64::from(!is_single) + dictionary + content)?;
        loop {
            let mut header = [0; 3];
            file.read_exact(&mut header)?;
            let [low, middle, high] = header;
            let header = u32::from_le_bytes([low, middle, high, 0]);
            let size = if header >> 1 & 3 == 1 { 1 } else { header >> 3 };
            file.seek_relative(i64::from(size))?;
            if header & 1 != 0 {
                break;
            }
        }
        let has_check = descriptor & 4 != 0;
        if has_check {
            file.seek_relative(4)?;
        }
        check.get_or_insert(has_check);
        frames += 1;
    }
}
