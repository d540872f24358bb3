//! Formats with a mark of their own.

use super::answer::{Answer, Bytes};
use super::{archive, elf, image, media};

/// Returns the answer for the first format that fits.
pub(super) fn look(bytes: &[u8]) -> Option<Answer> {
    elf::look(bytes)
        .or_else(|| archive::look(bytes))
        .or_else(|| image::look(bytes))
        .or_else(|| media::look(bytes))
        .or_else(|| pdf(bytes))
        .or_else(|| sqlite(bytes))
        .or_else(|| code(bytes))
        .or_else(|| windows(bytes))
        .or_else(|| font(bytes))
        .or_else(|| plain(bytes))
}

/// Marks whose words say all: place, mark, words, MIME type.
const MARKS: &[(usize, &[u8], &str, &str)] = &[
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "Composite Document File V2 Document, Cannot read section info",
        "application/x-ole-storage",
    ),
    (0, b"PAR1", "Apache Parquet", "application/octet-stream"),
    (
        0,
        b"\x89HDF\r\n\x1a\n",
        "Hierarchical Data Format (version 5) data",
        "application/x-hdf5",
    ),
    (
        0,
        b"L\0\0\0\x01\x14\x02\0",
        "Windows shortcut file",
        "application/octet-stream",
    ),
    (
        32769,
        b"CD001",
        "ISO 9660 CD-ROM filesystem data",
        "application/x-iso9660-image",
    ),
    (
        510,
        b"\x55\xaa",
        "DOS/MBR boot sector",
        "application/octet-stream",
    ),
    (
        0,
        b"d8:announce",
        "BitTorrent file",
        "application/x-bittorrent",
    ),
    (0, b"BC\xc0\xde", "LLVM IR bitcode", "text/plain"),
];

fn plain(bytes: &[u8]) -> Option<Answer> {
    if bytes.has(0, b"Obj") && bytes.len() > 3 && bytes.byte(3)? < 32 {
        let text = format!("Apache Avro version {}", bytes.byte(3)?);
        return Some(Answer::binary(text, "application/octet-stream"));
    }
    if bytes.has(0, b"\x93NUMPY") {
        let text = format!(
            "NumPy array, version {}.{}, header length {}",
            bytes.byte(6)?,
            bytes.byte(7)?,
            bytes.little(8, 2)?
        );
        return Some(Answer::binary(text, "application/octet-stream"));
    }
    if bytes.has(0, b"DIRC") {
        let text = format!(
            "Git index, version {}, {} entries",
            bytes.big(4, 4)?,
            bytes.big(8, 4)?
        );
        return Some(Answer::binary(text, "application/octet-stream"));
    }
    if bytes.has(0, b"PACK") && bytes.big(4, 4)? < 8 {
        let text = format!(
            "Git pack, version {}, {} objects",
            bytes.big(4, 4)?,
            bytes.big(8, 4)?
        );
        return Some(Answer::binary(text, "application/x-git"));
    }
    MARKS
        .iter()
        .find(|(at, mark, ..)| bytes.has(*at, mark))
        .map(|(_, _, words, mime)| Answer::binary(*words, *mime))
}

fn pdf(bytes: &[u8]) -> Option<Answer> {
    let version = bytes.strip_prefix(b"%PDF-")?;
    let mut text = format!(
        "PDF document, version {}",
        String::from_utf8_lossy(version.get(..3)?)
    );
    // The pages are counted where the tree of pages is in the first 256 bytes.
    let head = bytes.get(..256).unwrap_or(bytes);
    let count = super::answer::find(head, b"/Count ").and_then(|at| {
        let digits: Vec<u8> = head
            .get(at + 7..)?
            .iter()
            .copied()
            .take_while(u8::is_ascii_digit)
            .collect();
        String::from_utf8(digits)
            .ok()
            .filter(|digits| !digits.is_empty())
    });
    if let Some(count) = count {
        text.push_str(&format!(", {count} pages"));
    }
    Some(Answer::binary(text, "application/pdf"))
}

fn sqlite(bytes: &[u8]) -> Option<Answer> {
    if !bytes.has(0, b"SQLite format 3\0") || bytes.len() < 100 {
        return None;
    }
    let number = |at| bytes.big(at, 4);
    let mut text = "SQLite 3.x database".to_owned();
    let user = number(60)?;
    if user != 0 {
        text.push_str(&format!(", user version {user}"));
    }
    if number(96)? != 0 {
        text.push_str(&format!(
            ", last written using SQLite version {}",
            number(96)?
        ));
    }
    let page = bytes.big(16, 2)?;
    if page != 4096 {
        let page = if page == 1 { 65_536 } else { page };
        text.push_str(&format!(", page size {page}"));
    }
    if bytes.byte(18)? == 2 {
        text.push_str(", writer version 2");
    }
    if bytes.byte(19)? == 2 {
        text.push_str(", read version 2");
    }
    text.push_str(&format!(", file counter {}", number(24)?));
    text.push_str(&format!(", database pages {}", number(28)?));
    if number(32)? != 0 {
        text.push_str(&format!(
            ", 1st free page {}, free pages {}",
            number(32)?,
            number(36)?
        ));
    }
    text.push_str(&format!(", cookie {:#x}", number(40)?));
    text.push_str(&format!(", schema {}", number(44)?));
    match number(56)? {
        1 => text.push_str(", UTF-8"),
        2 => text.push_str(", UTF-16 little endian"),
        3 => text.push_str(", UTF-16 big endian"),
        _ => {}
    }
    text.push_str(&format!(", version-valid-for {}", number(92)?));
    Some(Answer::binary(text, "application/vnd.sqlite3"))
}

/// Compiled code.
fn code(bytes: &[u8]) -> Option<Answer> {
    if bytes.has(0, b"\0asm") {
        let version = bytes.little(4, 4)?;
        return Some(if version == 1 {
            Answer::binary(
                "WebAssembly (wasm) binary module version 0x1 (MVP)",
                "application/wasm",
            )
        } else {
            Answer::binary(
                format!("WebAssembly (wasm) binary module version {version:#x}"),
                "application/octet-stream",
            )
        });
    }
    if bytes.has(0, b"\xca\xfe\xba\xbe") && bytes.big(4, 4)? > 30 {
        let (minor, major) = (bytes.big(4, 2)?, bytes.big(6, 2)?);
        let name = match major {
            45 => " (Java 1.1)".to_owned(),
            46..=52 => format!(" (Java 1.{})", major - 44),
            53..=63 => format!(" (Java SE {})", major - 44),
            _ => String::new(),
        };
        return Some(Answer::binary(
            format!("compiled Java class data, version {major}.{minor}{name}"),
            "application/x-java-applet",
        ));
    }
    if bytes.has(0, b"dex\n") {
        let text = format!("Dalvik dex file version {}", bytes.text(4, 3));
        return Some(Answer::binary(text, "application/octet-stream"));
    }
    python(bytes)
}

fn python(bytes: &[u8]) -> Option<Answer> {
    let version = match (bytes.little(0, 2)?, bytes.slice(2, 2)?) {
        (number, b"\r\n") => match number {
            3390..=3394 => "3.7",
            3400..=3413 => "3.8",
            3420..=3425 => "3.9",
            3430..=3439 => "3.10",
            3450..=3495 => "3.11",
            _ => return None,
        },
        _ => return None,
    };
    if bytes.little(4, 4)? != 0 {
        return Some(Answer::binary(
            format!("Byte-compiled Python module for CPython {version}, hash-based"),
            "application/x-bytecode.python",
        ));
    }
    Some(Answer::binary(
        format!(
            "Byte-compiled Python module for CPython {version}, timestamp-based, .py timestamp: {} UTC, .py size: {} bytes",
            archive::date(bytes.little(8, 4)?),
            bytes.little(12, 4)?
        ),
        "application/x-bytecode.python",
    ))
}

fn windows(bytes: &[u8]) -> Option<Answer> {
    if !bytes.has(0, b"MZ") {
        return None;
    }
    let start = usize::try_from(bytes.little(60, 4)?).ok()?;
    if !bytes.has(start, b"PE\0\0") {
        return Some(Answer::binary(
            "MS-DOS executable, MZ for MS-DOS",
            "application/x-dosexec",
        ));
    }
    let machine = match bytes.little(start + 4, 2)? {
        0x14c => "Intel 80386",
        0x8664 => "x86-64",
        0xaa64 => "Aarch64",
        0x1c4 => "ARMv7 Thumb",
        _ => "unknown processor",
    };
    let flags = bytes.little(start + 22, 2)?;
    let form = if bytes.little(start + 24, 2)? == 0x20b {
        "PE32+"
    } else {
        "PE32"
    };
    let subsystem = match bytes.little(start + 92, 2)? {
        1 => " (native)",
        2 => " (GUI)",
        3 => " (console)",
        10 => " (EFI application)",
        _ => "",
    };
    let kind = if flags & 0x2000 != 0 {
        format!("(DLL){subsystem}")
    } else {
        format!("executable{subsystem}")
    };
    let sections = bytes.little(start + 6, 2)?;
    Some(Answer::binary(
        format!("{form} {kind} {machine}, for MS Windows, {sections} sections"),
        "application/vnd.microsoft.portable-executable",
    ))
}

fn font(bytes: &[u8]) -> Option<Answer> {
    if bytes.has(0, b"OTTO") {
        return Some(Answer::binary(
            "OpenType font data",
            "application/vnd.ms-opentype",
        ));
    }
    for (mark, name, mime, version) in [
        (b"wOFF", "Web Open Font Format", "font/woff", 20),
        (
            b"wOF2",
            "Web Open Font Format (Version 2)",
            "font/woff2",
            24,
        ),
    ] {
        if bytes.has(0, mark) {
            let flavor = if bytes.has(4, b"OTTO") {
                "CFF"
            } else {
                "TrueType"
            };
            return Some(Answer::binary(
                format!(
                    "{name}, {flavor}, length {}, version {}.{}",
                    bytes.big(8, 4)?,
                    bytes.big(version, 2)?,
                    bytes.big(version + 2, 2)?
                ),
                mime,
            ));
        }
    }
    if bytes.has(0, b"\0\x01\0\0\0") && (1..64).contains(&bytes.byte(5)?) {
        let tables = bytes.big(4, 2)?;
        let first = bytes.text(12, 4);
        let is_table = first
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/ ".contains(&byte));
        if !is_table || first.len() < 3 {
            return None;
        }
        let signed = if first == "DSIG" {
            ", digitally signed"
        } else {
            ""
        };
        return Some(Answer::binary(
            format!("TrueType Font data{signed}, {tables} tables, 1st \"{first}\""),
            "font/sfnt",
        ));
    }
    None
}
