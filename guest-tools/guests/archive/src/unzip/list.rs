//! Listings: `-l`, `-v`, and those of zipinfo.

use std::io::{self, Write as _};

use super::{Look, Settings};
use crate::times;
use crate::zip::archive::{Archive, ratio, shown};
use crate::zip::record::{DEFLATED, FLAG_LATER, FLAG_SECRET, Member, STORED};

/// Writes a line; that it cannot is found out at the end.
fn line(head: &str, name: &[u8]) {
    let mut bytes = head.as_bytes().to_vec();
    bytes.extend(shown(name));
    bytes.push(b'\n');
    let _ = io::stdout().write_all(&bytes);
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn name(settings: &Settings, member: &Member) -> Vec<u8> {
    if settings.lowers(member) {
        member.name.to_ascii_lowercase()
    } else {
        member.name.clone()
    }
}

/// `-l`.
pub(super) fn short(settings: &Settings, members: &[&Member]) -> u8 {
    if settings.quiet < 2 {
        println!("  Length      Date    Time    Name");
        println!("---------  ---------- -----   ----");
    }
    for member in members {
        let time = times::show(member.seconds(), "%Y-%m-%d %H:%M");
        line(
            &format!("{:>9}  {time}   ", member.size),
            &name(settings, member),
        );
    }
    if settings.quiet < 2 {
        let total: u64 = members.iter().map(|member| member.size).sum();
        println!("---------                     -------");
        println!(
            "{total:>9}                     {} file{}",
            members.len(),
            plural(members.len())
        );
    }
    if members.is_empty() { 11 } else { 0 }
}

fn percent(ratio: i64) -> String {
    let sign = if ratio < 0 { "-" } else { "" };
    format!("{sign}{}%", (ratio.abs() + 5) / 10)
}

fn method(member: &Member) -> String {
    match member.method {
        STORED => "Stored".to_owned(),
        DEFLATED => {
            let level = ['N', 'X', 'F', 'S'];
            let level = level.get(usize::from(member.flags >> 1 & 3));
            format!("Defl:{}", level.unwrap_or(&'N'))
        }
        12 => "BZip2".to_owned(),
        14 => "LZMA".to_owned(),
        other => format!("Unk:{other:03}"),
    }
}

/// `-v`.
pub(super) fn long(settings: &Settings, members: &[&Member]) -> u8 {
    if settings.quiet < 2 {
        println!(" Length   Method    Size  Cmpr    Date    Time   CRC-32   Name");
        println!("--------  ------  ------- ---- ---------- ----- --------  ----");
    }
    let (mut size, mut packed) = (0, 0);
    for member in members {
        size += member.size;
        packed += member.packed;
        let time = times::show(member.seconds(), "%Y-%m-%d %H:%M");
        let head = format!(
            "{:>8}  {:<7}{:>8} {:>4} {time} {:08x}  ",
            member.size,
            method(member),
            member.packed,
            percent(ratio(member.size, member.packed)),
            member.crc
        );
        line(&head, &name(settings, member));
    }
    if settings.quiet < 2 {
        println!("--------          -------  ---                            -------");
        println!(
            "{size:>8}         {packed:>8} {:>4}                            {} file{}",
            percent(ratio(size, packed)),
            members.len(),
            plural(members.len())
        );
    }
    if members.is_empty() { 11 } else { 0 }
}

/// Returns whether zipinfo shows the archive as a whole: nothing is chosen.
pub(super) fn is_whole(settings: &Settings) -> bool {
    settings.wanted.is_empty()
        && settings.header.is_none()
        && settings.trailer.is_none()
        && !matches!(settings.look, Look::Names | Look::NamesWithMore)
}

fn tenths(ratio: i64) -> String {
    let sign = if ratio < 0 { "-" } else { "" };
    format!("{sign}{}.{}%", ratio.abs() / 10, ratio.abs() % 10)
}

/// `zipinfo`, `unzip -Z`.
pub(super) fn info(settings: &Settings, archive: &Archive, members: &[&Member]) -> u8 {
    let is_whole = is_whole(settings);
    let only_totals = matches!(settings.look, Look::Short)
        && (settings.header.is_some() || settings.trailer.is_some())
        && settings.wanted.is_empty();
    if (is_whole || settings.header == Some(true)) && settings.look != Look::Names {
        println!(
            "Zip file size: {} bytes, number of entries: {}",
            archive.size,
            archive.members.len()
        );
    }
    let (mut size, mut packed) = (0, 0);
    for member in members {
        size += member.size;
        packed += member.packed;
        if only_totals {
            continue;
        }
        match settings.look {
            Look::Names | Look::NamesWithMore => line("", &member.name),
            look => line(&info_head(archive, member, look), &member.name),
        }
    }
    if is_whole || settings.trailer == Some(true) {
        println!(
            "{} file{}, {size} bytes uncompressed, {packed} bytes compressed:  {}",
            members.len(),
            plural(members.len()),
            tenths(ratio(size, packed))
        );
    }
    if members.is_empty() && !settings.wanted.is_empty() {
        11
    } else {
        0
    }
}

fn info_head(archive: &Archive, member: &Member, look: Look) -> String {
    let version = member.made_by & 0xff;
    let system = match member.made_by >> 8 {
        0 => "fat",
        3 => "unx",
        7 => "mac",
        10 => "ntf",
        11 => "mvs",
        19 => "osx",
        _ => "???",
    };
    let is_later = member.flags & FLAG_LATER != 0;
    // The fields before the data count too.
    let has_extra = !member.extra.is_empty()
        || archive
            .data(member)
            .is_ok_and(|(_, extra)| !extra.is_empty());
    let letter = if member.internal & 1 != 0 { 't' } else { 'b' };
    let letter = if member.flags & FLAG_SECRET != 0 {
        letter.to_ascii_uppercase()
    } else {
        letter
    };
    let extra = match (has_extra, is_later) {
        (true, true) => 'X',
        (true, false) => 'x',
        (false, true) => 'l',
        (false, false) => '-',
    };
    let method = match member.method {
        STORED => "stor".to_owned(),
        DEFLATED => {
            let level = ['N', 'X', 'F', 'S'];
            let level = level.get(usize::from(member.flags >> 1 & 3));
            format!("def{}", level.unwrap_or(&'N'))
        }
        12 => "bzp2".to_owned(),
        14 => "lzma".to_owned(),
        other => format!("u{other:03}"),
    };
    let more = match look {
        Look::Long => format!(" {:>8}", member.packed),
        Look::Medium => format!(" {:>3}", percent(ratio(member.size, member.packed))),
        _ => String::new(),
    };
    format!(
        "{}  {}.{} {system} {:>8} {letter}{extra}{more} {method} {} ",
        permissions(member),
        version / 10,
        version % 10,
        member.size,
        times::show(member.seconds(), "%y-%b-%d %H:%M")
    )
}

fn permissions(member: &Member) -> String {
    match member.mode() {
        Some(mode) => {
            let letter = match mode & 0o170_000 {
                0o040_000 => 'd',
                0o120_000 => 'l',
                0o100_000 => '-',
                0o010_000 => 'p',
                0o020_000 => 'c',
                0o060_000 => 'b',
                0o140_000 => 's',
                _ => '?',
            };
            format!("{letter}{}", bash_text::mode::permissions(mode & 0o7777))
        }
        None => {
            let bit = |bit: u32, letter: char| {
                if member.external & bit != 0 {
                    letter
                } else {
                    '-'
                }
            };
            let write = if member.external & 1 != 0 { '-' } else { 'w' };
            let execute = if member.is_folder() { 'x' } else { '-' };
            format!(
                "{}r{write}{execute}{}{}{}   ",
                bit(16, 'd'),
                bit(32, 'a'),
                bit(2, 'h'),
                bit(4, 's')
            )
        }
    }
}
