//! How members are shown: `tar t`, and what `-v` says elsewhere.

use std::cell::Cell;
use std::io::{self, Write};

use super::entry::{Entry, Kind, Time};
use super::report::quoted;
use super::settings::{Quoting, Settings};

/// Shows members on the standard output, or on standard error where that is the archive's or a file's.
pub(crate) struct Listing {
    /// How wide owner and size were so far.
    width: Cell<usize>,
    to_stderr: bool,
}

impl Listing {
    pub(crate) fn new(to_stderr: bool) -> Self {
        const WIDTH: usize = 19;
        Self {
            width: Cell::new(WIDTH),
            to_stderr,
        }
    }

    /// Writes a line as it is.
    pub(crate) fn line(&self, line: &str) -> io::Result<()> {
        if self.to_stderr {
            eprintln!("{line}");
            return Ok(());
        }
        writeln!(io::stdout(), "{line}")
    }

    /// Shows a member; `name` is what it is called here.
    pub(crate) fn show(
        &self,
        settings: &Settings,
        entry: &Entry,
        name: &[u8],
        verbosity: u32,
    ) -> io::Result<()> {
        let mut line = String::new();
        if settings.block_number {
            line = format!("block {}: ", entry.block);
        }
        if verbosity > 0 {
            line.push_str(&self.long(settings, entry));
            line.push(' ');
        }
        let name = shown(settings.quoting, name);
        let mut bytes = line.into_bytes();
        bytes.extend(name);
        if verbosity > 0 {
            let link = shown(settings.quoting, &entry.link);
            match entry.kind {
                Kind::Symlink => bytes.extend([&b" -> "[..], &link].concat()),
                Kind::HardLink => bytes.extend([&b" link to "[..], &link].concat()),
                Kind::Label => bytes.extend(b"--Volume Header--"),
                Kind::Other(letter) => {
                    let text = format!(" unknown file type ‘{}’", char::from(letter));
                    bytes.extend(text.bytes());
                }
                _ => {}
            }
        }
        bytes.push(b'\n');
        if self.to_stderr {
            return io::stderr().write_all(&bytes);
        }
        io::stdout().write_all(&bytes)
    }

    fn long(&self, settings: &Settings, entry: &Entry) -> String {
        let owner = |name: &[u8], id: u64| {
            if name.is_empty() || settings.numeric_owner {
                id.to_string()
            } else {
                String::from_utf8_lossy(name).into_owned()
            }
        };
        let user = owner(&entry.user_name, entry.user);
        let group = owner(&entry.group_name, entry.group);
        let size = match entry.kind {
            Kind::CharacterDevice | Kind::BlockDevice => {
                format!("{},{}", entry.device.0, entry.device.1)
            }
            _ => entry.size.to_string(),
        };
        let pad = user.chars().count() + group.chars().count() + size.len() + 2;
        let width = self.width.get().max(pad);
        self.width.set(width);
        let size_width = width - pad + size.len();
        format!(
            "{}{} {user}/{group} {size:>size_width$} {}",
            letter(entry.kind),
            bash_text::mode::permissions(entry.mode),
            time(settings, entry.modified)
        )
    }
}

fn letter(kind: Kind) -> char {
    match kind {
        Kind::Regular => '-',
        Kind::HardLink => 'h',
        Kind::Symlink => 'l',
        Kind::CharacterDevice => 'c',
        Kind::BlockDevice => 'b',
        Kind::Directory => 'd',
        Kind::Fifo => 'p',
        Kind::Label => 'V',
        Kind::Other(_) => '?',
    }
}

fn time(settings: &Settings, time: Time) -> String {
    let pattern = if settings.full_time {
        "%Y-%m-%d %H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    let mut text = if settings.utc {
        calendar::format(pattern, &calendar::Zone::utc(), (time.seconds, 0))
    } else {
        crate::times::show(time.seconds, pattern)
    };
    if settings.full_time && time.nanoseconds > 0 {
        let part = format!("{:09}", time.nanoseconds);
        text.push('.');
        text.push_str(part.trim_end_matches('0'));
    }
    text
}

fn shown(quoting: Quoting, name: &[u8]) -> Vec<u8> {
    match quoting {
        Quoting::Literal => name.to_vec(),
        Quoting::Escape => quoted(name).into_bytes(),
        Quoting::C => format!("\"{}\"", quoted(name).replace('"', "\\\"")).into_bytes(),
        Quoting::Shell | Quoting::ShellAlways => {
            let is_plain = name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(byte));
            if is_plain && quoting == Quoting::Shell && !name.is_empty() {
                return name.to_vec();
            }
            let is_quotable =
                name.contains(&b'\'') && !name.iter().any(|byte| b"\"$`\\!".contains(byte));
            if is_quotable {
                return [b"\"", name, b"\""].concat();
            }
            let mut text = vec![b'\''];
            for byte in name {
                if *byte == b'\'' {
                    text.extend(b"'\\''");
                } else {
                    text.push(*byte);
                }
            }
            text.push(b'\'');
            text
        }
    }
}
