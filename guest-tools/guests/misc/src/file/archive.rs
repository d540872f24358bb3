//! Archives and compressed data.

use super::answer::{Answer, Bytes};

/// Returns the answer for a tar archive: its first header has the right sum.
pub(super) fn tar(bytes: &[u8]) -> Option<Answer> {
    let header = bytes.get(..512)?;
    let recorded = String::from_utf8_lossy(header.get(148..156)?)
        .trim_matches(['\0', ' '])
        .to_owned();
    let recorded = u64::from_str_radix(&recorded, 8).ok()?;
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| match at {
            148..156 => 32,
            _ => u64::from(*byte),
        })
        .sum();
    if sum != recorded || header.first() == Some(&0) {
        return None;
    }
    let text = if bytes.has(257, b"ustar  \0") {
        "POSIX tar archive (GNU)"
    } else if bytes.has(257, b"ustar\0") {
        "POSIX tar archive"
    } else {
        "tar archive"
    };
    Some(Answer::binary(text, "application/x-tar"))
}

/// Returns the answer for other archives and compressed data.
pub(super) fn look(bytes: &[u8]) -> Option<Answer> {
    if bytes.has(0, b"\x1f\x8b") {
        return gzip(bytes);
    }
    if bytes.has(0, b"PK") {
        return zip(bytes);
    }
    if bytes.has(0, b"BZh") {
        let level = bytes.text(3, 1);
        return Some(Answer::binary(
            format!("bzip2 compressed data, block size = {level}00k"),
            "application/x-bzip2",
        ));
    }
    if bytes.has(0, b"\xfd7zXZ\0") {
        let check = match bytes.byte(7)? & 15 {
            0 => ", checksum NONE",
            1 => ", checksum CRC32",
            4 => ", checksum CRC64",
            10 => ", checksum SHA-256",
            _ => "",
        };
        return Some(Answer::binary(
            format!("XZ compressed data{check}"),
            "application/x-xz",
        ));
    }
    if bytes.has(0, b"\x28\xb5\x2f\xfd") {
        let dictionary = match bytes.byte(4).unwrap_or(0) & 3 {
            0 => "None".to_owned(),
            _ => bytes.byte(6).unwrap_or(0).to_string(),
        };
        return Some(Answer::binary(
            format!("Zstandard compressed data (v0.8+), Dictionary ID: {dictionary}"),
            "application/zstd",
        ));
    }
    if bytes.has(0, b"\x1f\x9d") {
        let third = bytes.byte(2).unwrap_or(0);
        return Some(Answer::binary(
            format!("compress'd data {} bits", third & 31),
            "application/x-compress",
        ));
    }
    if bytes.has(0, b"7z\xbc\xaf\x27\x1c") {
        return Some(Answer::binary(
            format!(
                "7-zip archive data, version {}.{}",
                bytes.byte(6)?,
                bytes.byte(7)?
            ),
            "application/x-7z-compressed",
        ));
    }
    if bytes.has(0, b"\x5d\0\0") && bytes.little(5, 8)? == u64::MAX {
        return Some(Answer::binary(
            "LZMA compressed data, streamed",
            "application/x-lzma",
        ));
    }
    if bytes.has(0, b"!<arch>\ndebian-binary") {
        let member = bytes.text(72, 16);
        return Some(Answer::binary(
            format!(
                "Debian binary package (format {}), with {}",
                bytes.text(68, 3),
                member.trim_end().trim_end_matches('/')
            ),
            "application/vnd.debian.binary-package",
        ));
    }
    const MARKS: &[(&[u8], &str, &str)] = &[
        (b"!<arch>", "current ar archive", "application/x-archive"),
        (
            b"\x04\x22\x4d\x18",
            "LZ4 compressed data (v1.4+)",
            "application/x-lz4",
        ),
        (
            b"Rar!\x1a\x07\x01\0",
            "RAR archive data, v5",
            "application/x-rar",
        ),
        (b"Rar!\x1a\x07\0", "RAR archive data", "application/x-rar"),
        (
            b"070701",
            "ASCII cpio archive (SVR4 with no CRC)",
            "application/x-cpio",
        ),
        (
            b"070702",
            "ASCII cpio archive (SVR4 with CRC)",
            "application/x-cpio",
        ),
        (
            b"070707",
            "ASCII cpio archive (pre-SVR4 or odc)",
            "application/x-cpio",
        ),
    ];
    MARKS
        .iter()
        .find(|(mark, ..)| bytes.starts_with(mark))
        .map(|(_, words, mime)| Answer::binary(*words, *mime))
}

fn gzip(bytes: &[u8]) -> Option<Answer> {
    let mut text = "gzip compressed data".to_owned();
    if let Some(flags) = bytes.byte(3) {
        if flags & 4 == 0 && flags & 8 != 0 {
            text.push_str(&format!(", was \"{}\"", bytes.text(10, 1024)));
        }
        let time = bytes.little(4, 4).unwrap_or(0);
        if time > 0 {
            text.push_str(&format!(", last modified: {}", date(time)));
        }
        match bytes.byte(8) {
            Some(2) => text.push_str(", max compression"),
            Some(4) => text.push_str(", max speed"),
            _ => {}
        }
        match bytes.byte(9) {
            Some(0) => text.push_str(", from FAT filesystem (MS-DOS, OS/2, NT)"),
            Some(3) => text.push_str(", from Unix"),
            Some(11) => text.push_str(", from NTFS filesystem (NT)"),
            _ => {}
        }
        if let Some(size) = bytes
            .len()
            .checked_sub(4)
            .and_then(|at| bytes.little(at, 4))
        {
            text.push_str(&format!(", original size modulo 2^32 {size}"));
        }
    }
    Some(Answer::binary(text, "application/gzip"))
}

fn zip(bytes: &[u8]) -> Option<Answer> {
    if bytes.has(0, b"PK\x05\x06") {
        return Some(Answer::binary(
            "Zip archive data (empty)",
            "application/zip",
        ));
    }
    if !bytes.has(0, b"PK\x03\x04") {
        return None;
    }
    let name_length = usize::try_from(bytes.little(26, 2)?).ok()?;
    let extra = usize::try_from(bytes.little(28, 2)?).ok()?;
    let name = bytes.slice(30, name_length).unwrap_or(&[]);
    let content = bytes.get(30 + name_length + extra..).unwrap_or(&[]);
    if name == b"mimetype" {
        let kind = content.strip_prefix(b"application/");
        let end = |kind: &[u8]| {
            let end = super::answer::find(kind, b"PK").unwrap_or(kind.len());
            String::from_utf8_lossy(kind.get(..end).unwrap_or(kind)).into_owned()
        };
        if let Some(kind) = kind.map(end) {
            let words = match kind.as_str() {
                "epub+zip" => Some("EPUB document"),
                "vnd.oasis.opendocument.text" => Some("OpenDocument Text"),
                "vnd.oasis.opendocument.spreadsheet" => Some("OpenDocument Spreadsheet"),
                "vnd.oasis.opendocument.presentation" => Some("OpenDocument Presentation"),
                _ => None,
            };
            if let Some(words) = words {
                return Some(Answer::binary(words, format!("application/{kind}")));
            }
        }
    }
    if matches!(
        name,
        b"[Content_Types].xml" | b"_rels/.rels" | b"docProps/app.xml"
    ) {
        const OFFICE: &str = "application/vnd.openxmlformats-officedocument";
        for (folder, words, kind) in [
            (
                &b"word/"[..],
                "Microsoft Word 2007+",
                "wordprocessingml.document",
            ),
            (b"xl/", "Microsoft Excel 2007+", "spreadsheetml.sheet"),
            (
                b"ppt/",
                "Microsoft PowerPoint 2007+",
                "presentationml.presentation",
            ),
        ] {
            if members(bytes).any(|member| member.starts_with(folder)) {
                return Some(Answer::binary(words, format!("{OFFICE}.{kind}")));
            }
        }
        return Some(Answer::binary(
            "Microsoft OOXML",
            "application/octet-stream",
        ));
    }
    if members(bytes).next() == Some(b"META-INF/MANIFEST.MF") && extra >= 4 {
        return Some(Answer::binary(
            "Java archive data (JAR)",
            "application/java-archive",
        ));
    }
    let version = bytes.byte(4)?;
    let method = match bytes.little(8, 2)? {
        0 => "store".to_owned(),
        8 => "deflate".to_owned(),
        12 => "bzip2".to_owned(),
        14 => "lzma".to_owned(),
        other => format!("[{other:#x}]"),
    };
    Some(Answer::binary(
        format!(
            "Zip archive data, at least v{}.{} to extract, compression method={method}",
            version / 10,
            version % 10
        ),
        "application/zip",
    ))
}

/// Returns the names of the members whose headers can be found.
fn members(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let start = at + super::answer::find(rest, b"PK\x03\x04")?;
        at = start + 30;
        let length = usize::try_from(bytes.little(start + 26, 2)?).ok()?;
        bytes.slice(start + 30, length)
    })
}

/// Returns a time as ctime(3) shows it, in UTC.
pub(super) fn date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = seconds / 86_400;
    let name = |names: &[&'static str], at: u64| {
        usize::try_from(at)
            .ok()
            .and_then(|at| names.get(at).copied())
            .unwrap_or("???")
    };
    // Days since 1 March of the year 0.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let of_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let rest = of_era - (365 * of_year + of_year / 4 - of_year / 100);
    let month = (5 * rest + 2) / 153;
    let year = of_year + era * 400 + u64::from(month >= 10);
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {year}",
        name(&DAYS, days % 7),
        name(&MONTHS, (month + 2) % 12),
        rest - (153 * month + 2) / 5 + 1,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}
