//! stat: shows the status of files, or of file systems, in a format of one's own.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::clock;
use crate::disk;
use crate::mode;
use crate::owner::Owner;
use crate::quoting::{self, Style};
use crate::report::{self, complain, reason};
use crate::system::{Facts, Kind, Moment, Stat, stat};
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "L/dereference f/file-system c/format= printf= t/terse cached=";

/// `%E` is our own: `%N` with quotes only where a shell needs them.
const DEFAULT: &str = "  File: %E\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n\
    Device: %Hd,%Ld\tInode: %-11i Links: %h\n\
    Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n\
    Access: %x\nModify: %y\nChange: %z\n Birth: %w\n";
const TERSE: &str = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n";
const DEFAULT_DISK: &str = "  File: \"%n\"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block size: %S\n\
    Blocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n";
const TERSE_DISK: &str = "%n %i %l %t %s %S %b %f %a %c %d\n";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return report::usage(program, message, 1),
    };
    let (mut follow, mut is_disk, mut is_terse) = (false, false, false);
    let mut format: Option<(String, bool)> = None;
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("dereference", _) => follow = true,
            Item::Option("file-system", _) => is_disk = true,
            Item::Option("terse", _) => is_terse = true,
            Item::Option("format", value) => format = value.map(|value| (value + "\n", false)),
            Item::Option("printf", value) => format = value.map(|value| (value, true)),
            Item::Option(..) => {}
        }
    }
    if operands.is_empty() {
        return report::usage(program, "missing operand", 1);
    }
    let (format, escapes) = format.unwrap_or_else(|| {
        let format = match (is_disk, is_terse) {
            (false, false) => DEFAULT,
            (false, true) => TERSE,
            (true, false) => DEFAULT_DISK,
            (true, true) => TERSE_DISK,
        };
        (format.to_owned(), false)
    });
    let mut out = BufWriter::new(io::stdout().lock());
    let mut status = 0;
    for operand in &operands {
        let path = if operand == "-" {
            "/dev/stdin"
        } else {
            operand
        };
        let text = if is_disk {
            disk::of(Path::new(path)).map(|disk| {
                render(&format, escapes, |directive, _, _| {
                    disk_field(&disk, operand, directive)
                })
            })
        } else {
            stat(Path::new(path), follow || operand == "-").map(|status| {
                let subject = Subject {
                    name: operand,
                    status: &status,
                    owner: Owner::of_hand(),
                };
                render(&format, escapes, |directive, part, precision| {
                    subject.field(directive, part, precision)
                })
            })
        };
        match text {
            Ok(text) => {
                if let Err(error) = out.write_all(&text) {
                    return report::finish(program, Err(error));
                }
            }
            Err(error) => {
                let _ = out.flush();
                let what = if is_disk {
                    "cannot read file system information for"
                } else {
                    "cannot statx"
                };
                complain(
                    program,
                    format_args!("{what} {}: {}", quoting::quoted(operand), reason(&error)),
                );
                status = 1;
            }
        }
    }
    let flushed = out.flush();
    report::finish(program, flushed).max(status)
}

/// What a directive stands for.
enum Field {
    Text(String),
    Unsigned(u64),
    Octal(u64),
    Hex(u64),
    /// Seconds since the epoch with nanoseconds, and as many of their digits as the precision says.
    Time(Moment),
    Unknown,
}

struct Subject<'a> {
    name: &'a str,
    status: &'a Stat,
    owner: Owner,
}

impl Subject<'_> {
    fn field(&self, directive: char, part: Option<char>, precision: bool) -> Field {
        let status = self.status;
        let time = |moment: Moment| {
            if precision {
                Field::Time(moment)
            } else {
                Field::Text(moment.seconds.to_string())
            }
        };
        let text = |moment: Moment| Field::Text(clock::show(moment, "%Y-%m-%d %H:%M:%S.%N %z"));
        let (major, minor) = major_minor(status.device);
        match directive {
            'a' => Field::Octal(status.mode.into()),
            'A' => Field::Text(format!("{}{}", status.letter(), mode::letters(status.mode))),
            'b' => Field::Unsigned(status.blocks),
            'B' => Field::Unsigned(512),
            'C' => Field::Text("?".to_owned()),
            'd' => match part {
                Some('H') => Field::Unsigned(major),
                Some('L') => Field::Unsigned(minor),
                _ => Field::Unsigned(status.device),
            },
            'D' => Field::Hex(status.device),
            'f' => Field::Hex((status.kind_bits() | status.mode).into()),
            'F' => Field::Text(kind_name(status).to_owned()),
            'g' | 'u' => Field::Unsigned(self.owner.id.into()),
            'G' | 'U' => Field::Text(self.owner.name.clone()),
            'h' => Field::Unsigned(status.links),
            'i' => Field::Unsigned(status.inode),
            'm' => Field::Text(disk::mount_point(Path::new(self.name))),
            'n' => Field::Text(self.name.to_owned()),
            'N' => Field::Text(self.quoted_name(Style::ShellEscapeAlways)),
            'E' => Field::Text(self.quoted_name(Style::ShellEscape)),
            'o' => Field::Unsigned(4096),
            'r' => Field::Unsigned(0),
            'R' | 't' | 'T' => Field::Hex(0),
            's' => Field::Unsigned(status.size),
            // The time of birth is not told here; GNU shows `-` and 0 then.
            'w' => Field::Text("-".to_owned()),
            'W' => Field::Text("0".to_owned()),
            'x' => text(status.accessed),
            'X' => time(status.accessed),
            'y' => text(status.modified),
            'Y' => time(status.modified),
            'z' => text(status.changed),
            'Z' => time(status.changed),
            _ => Field::Unknown,
        }
    }

    fn quoted_name(&self, style: Style) -> String {
        let quote =
            |name: &[u8]| String::from_utf8_lossy(&quoting::quote(name, style)).into_owned();
        let name = quote(self.name.as_bytes());
        match std::fs::read_link(self.name) {
            Ok(target) if self.status.kind == Kind::Symlink => {
                format!("{name} -> {}", quote(target.as_os_str().as_encoded_bytes()))
            }
            _ => name,
        }
    }
}

fn major_minor(device: u64) -> (u64, u64) {
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    (major, minor & 0xffff_ffff)
}

fn kind_name(status: &Stat) -> &'static str {
    match status.kind {
        Kind::Regular if status.size == 0 => "regular empty file",
        Kind::Regular => "regular file",
        Kind::Directory => "directory",
        Kind::Symlink => "symbolic link",
        Kind::Fifo => "fifo",
        Kind::CharacterDevice => "character special file",
        Kind::BlockDevice => "block special file",
        Kind::Socket => "socket",
        Kind::Unknown => "weird file",
    }
}

fn disk_field(disk: &disk::Disk, name: &str, directive: char) -> Field {
    match directive {
        'a' => Field::Unsigned(disk.available),
        'b' => Field::Unsigned(disk.blocks),
        'c' => Field::Unsigned(disk.files),
        'd' => Field::Unsigned(disk.files_free),
        'f' => Field::Unsigned(disk.free),
        'i' => Field::Hex(0),
        'l' => Field::Unsigned(255),
        'n' => Field::Text(name.to_owned()),
        's' | 'S' => Field::Unsigned(disk.block_size),
        't' => Field::Text("ef53".to_owned()),
        'T' => Field::Text("ext2/ext3".to_owned()),
        _ => Field::Unknown,
    }
}

/// Fills in a format.
fn render(
    format: &str,
    escapes: bool,
    field: impl Fn(char, Option<char>, bool) -> Field,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = format.chars();
    while let Some(one) = rest.next() {
        match one {
            '%' => {
                let mut ahead = rest.clone();
                let text = directive(&mut ahead, &field);
                rest = ahead;
                out.extend_from_slice(text.as_bytes());
            }
            '\\' if escapes => escape(&mut rest, &mut out),
            _ => out.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

fn directive(
    rest: &mut std::str::Chars<'_>,
    field: &impl Fn(char, Option<char>, bool) -> Field,
) -> String {
    let whole = rest.as_str();
    let take = |rest: &mut std::str::Chars<'_>, fits: &dyn Fn(char) -> bool| {
        let mut taken = String::new();
        while let Some(one) = rest.clone().next().filter(|one| fits(*one)) {
            rest.next();
            taken.push(one);
        }
        taken
    };
    let flags = take(rest, &|one| "#-+'0 ".contains(one));
    let width: usize = take(rest, &|one| one.is_ascii_digit()).parse().unwrap_or(0);
    let precision = rest.as_str().starts_with('.').then(|| {
        rest.next();
        take(rest, &|one| one.is_ascii_digit())
    });
    let part = rest.clone().next().filter(|one| matches!(one, 'H' | 'L'));
    let part = part.filter(|_| {
        rest.as_str()
            .chars()
            .nth(1)
            .is_some_and(|next| matches!(next, 'd' | 'r'))
    });
    if part.is_some() {
        rest.next();
    }
    let Some(letter) = rest.next() else {
        return format!("%{whole}");
    };
    if letter == '%' {
        return "%".to_owned();
    }
    let digits = precision
        .as_ref()
        .map(|precision| precision.parse::<usize>().ok());
    let alternate = flags.contains('#');
    let (mut text, is_number) = match field(letter, part, digits.is_some()) {
        Field::Text(text) => {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let limit = digits.flatten().unwrap_or(usize::MAX);
            (text.chars().take(limit).collect(), is_number)
        }
        Field::Unsigned(value) => (value.to_string(), true),
        Field::Octal(value) => (
            format!(
                "{}{value:o}",
                if alternate && value != 0 { "0" } else { "" }
            ),
            true,
        ),
        Field::Hex(value) => (
            format!(
                "{}{value:x}",
                if alternate && value != 0 { "0x" } else { "" }
            ),
            true,
        ),
        Field::Time(moment) => (time_text(moment, digits.flatten()), true),
        Field::Unknown => ("?".to_owned(), false),
    };
    if flags.contains('+') && is_number && matches!(letter, 'X' | 'Y' | 'Z' | 'W') {
        text.insert(0, '+');
    }
    pad(&text, width, &flags, is_number)
}

fn time_text(moment: Moment, digits: Option<usize>) -> String {
    let nanoseconds = format!("{:09}", moment.nanoseconds);
    let digits = digits.unwrap_or(9);
    if digits == 0 {
        return moment.seconds.to_string();
    }
    let mut text = format!("{}.", moment.seconds);
    text.extend(
        nanoseconds
            .chars()
            .chain(std::iter::repeat('0'))
            .take(digits),
    );
    text
}

fn pad(text: &str, width: usize, flags: &str, is_number: bool) -> String {
    let mut out = String::new();
    let space = if flags.contains(' ') && is_number {
        " "
    } else {
        ""
    };
    let text = format!("{space}{text}");
    // Writing to a String cannot fail.
    let _ = if flags.contains('-') {
        write!(out, "{text:<width$}")
    } else if flags.contains('0') && is_number {
        write!(out, "{text:0>width$}")
    } else {
        write!(out, "{text:>width$}")
    };
    out
}

fn escape(rest: &mut std::str::Chars<'_>, out: &mut Vec<u8>) {
    let Some(letter) = rest.next() else {
        out.push(b'\\');
        return;
    };
    let mut number = |first: u32, base: u32, most: usize| {
        let mut value = first;
        for _ in 0..most {
            let Some(digit) = rest.clone().next().and_then(|one| one.to_digit(base)) else {
                break;
            };
            rest.next();
            value = value * base + digit;
        }
        u8::try_from(value & 0xff).unwrap_or(0)
    };
    let byte = match letter {
        'a' => 7,
        'b' => 8,
        'e' => 27,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        'x' => number(0, 16, 2),
        '0'..='7' => number(letter.to_digit(8).unwrap_or(0), 8, 2),
        '\\' | '"' => u8::try_from(letter).unwrap_or(b'\\'),
        other => {
            out.push(b'\\');
            out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
    };
    out.push(byte);
}

const HELP: &str = "\
Usage: stat [OPTION]... FILE...
Display file or file system status.

  -L, --dereference     follow links
  -f, --file-system     display file system status instead of file status
  -c, --format=FORMAT   use FORMAT, with a newline after each use
      --printf=FORMAT   like --format, but interpret backslash escapes and add no newline
  -t, --terse           print the information in terse form
";
