//! Images.

use super::answer::{Answer, Bytes};

/// Returns the answer for an image.
pub(super) fn look(bytes: &[u8]) -> Option<Answer> {
    png(bytes)
        .or_else(|| gif(bytes))
        .or_else(|| jpeg(bytes))
        .or_else(|| bmp(bytes))
        .or_else(|| netpbm(bytes))
        .or_else(|| others(bytes))
}

fn png(bytes: &[u8]) -> Option<Answer> {
    if !bytes.has(0, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR") {
        return None;
    }
    let colour = match bytes.byte(25)? {
        0 => " grayscale",
        2 => "/color RGB",
        3 => " colormap",
        4 => " gray+alpha",
        6 => "/color RGBA",
        _ => "",
    };
    let interlaced = match bytes.byte(28)? {
        0 => ", non-interlaced",
        1 => ", interlaced",
        _ => "",
    };
    Some(Answer::binary(
        format!(
            "PNG image data, {} x {}, {}-bit{colour}{interlaced}",
            bytes.big(16, 4)?,
            bytes.big(20, 4)?,
            bytes.byte(24)?
        ),
        "image/png",
    ))
}

fn gif(bytes: &[u8]) -> Option<Answer> {
    if !bytes.has(0, b"GIF8") {
        return None;
    }
    let mut text = "GIF image data".to_owned();
    for version in ["7a", "9a"] {
        if bytes.has(4, version.as_bytes()) {
            text.push_str(&format!(", version 8{version}"));
        }
    }
    if let (Some(width), Some(height)) = (bytes.little(6, 2), bytes.little(8, 2)) {
        text.push_str(&format!(", {width} x {height}"));
    }
    Some(Answer::binary(text, "image/gif"))
}

fn jpeg(bytes: &[u8]) -> Option<Answer> {
    if !bytes.has(0, b"\xff\xd8\xff") {
        return None;
    }
    let mut text = "JPEG image data".to_owned();
    let mut at = 2;
    if bytes.has(6, b"JFIF") {
        if let (Some(major), Some(minor)) = (bytes.byte(11), bytes.byte(12)) {
            text.push_str(&format!(", JFIF standard {major}.{minor:02}"));
        }
        if let Some(unit) = bytes.byte(13) {
            text.push_str(match unit {
                0 => ", aspect ratio",
                1 => ", resolution (DPI)",
                2 => ", resolution (DPCM)",
                _ => "",
            });
        }
        if let (Some(x), Some(y)) = (bytes.big(14, 2), bytes.big(16, 2)) {
            text.push_str(&format!(", density {x}x{y}"));
        }
        if let Some(length) = bytes.big(4, 2) {
            text.push_str(&format!(", segment length {length}"));
        }
    } else if bytes.has(6, b"Exif") {
        text.push_str(", Exif standard: [");
        text.push_str(&tiff(bytes.get(12..).unwrap_or(&[])).unwrap_or_default());
        text.push(']');
    }
    while let (Some(0xff), Some(mark)) = (bytes.byte(at), bytes.byte(at + 1)) {
        let Some(length) = bytes
            .big(at + 2, 2)
            .and_then(|length| usize::try_from(length).ok())
        else {
            break;
        };
        match mark {
            0xfe => {
                let comment = bytes.text(at + 4, length.saturating_sub(2));
                text.push_str(&format!(", comment: \"{comment}\""));
            }
            0xc0..=0xc2 => {
                let kind = match mark {
                    0xc0 => "baseline",
                    0xc1 => "extended sequential",
                    _ => "progressive",
                };
                if let (Some(precision), Some(height), Some(width), Some(components)) = (
                    bytes.byte(at + 4),
                    bytes.big(at + 5, 2),
                    bytes.big(at + 7, 2),
                    bytes.byte(at + 9),
                ) {
                    text.push_str(&format!(
                        ", {kind}, precision {precision}, {width}x{height}, components {components}"
                    ));
                }
                break;
            }
            0xda | 0xd9 => break,
            _ => {}
        }
        at += 2 + length;
    }
    Some(Answer::binary(text, "image/jpeg"))
}

fn tiff(bytes: &[u8]) -> Option<String> {
    let (words, entries) = if bytes.has(0, b"II*\0") {
        let at = usize::try_from(bytes.little(4, 4)?).ok()?;
        ("little-endian", bytes.little(at, 2))
    } else if bytes.has(0, b"MM\0*") {
        let at = usize::try_from(bytes.big(4, 4)?).ok()?;
        ("big-endian", bytes.big(at, 2))
    } else {
        return None;
    };
    let entries = entries.map_or(String::new(), |count| format!(", direntries={count}"));
    Some(format!("TIFF image data, {words}{entries}"))
}

fn bmp(bytes: &[u8]) -> Option<Answer> {
    if !bytes.has(0, b"BM") {
        return None;
    }
    let header = bytes.little(14, 4)?;
    if !matches!(header, 12 | 40 | 64 | 108 | 124) {
        return None;
    }
    if header == 12 {
        return Some(Answer::binary(
            format!(
                "PC bitmap, OS/2 1.x format, {} x {}, cbSize {}, bits offset {}",
                bytes.little(18, 2)?,
                bytes.little(20, 2)?,
                bytes.little(2, 4)?,
                bytes.little(10, 4)?
            ),
            "image/bmp",
        ));
    }
    let signed = |at| {
        let number = u32::try_from(bytes.little(at, 4)?).ok()?;
        Some(number.cast_signed())
    };
    let name = match header {
        40 => "Windows 3.x format",
        64 => "OS/2 2.x format",
        108 => "Windows 95/NT4 and newer format",
        _ => "Windows 98/2000 and newer format",
    };
    let mut text = format!(
        "PC bitmap, {name}, {} x {} x {}",
        signed(18)?,
        signed(22)?,
        bytes.little(28, 2)?
    );
    match bytes.little(30, 4)? {
        0 => {}
        1 => text.push_str(", compression RLE 8"),
        2 => text.push_str(", compression RLE 4"),
        _ => {}
    }
    let size = bytes.little(34, 4)?;
    if size > 0 {
        text.push_str(&format!(", image size {size}"));
    }
    let (x, y) = (bytes.little(38, 4)?, bytes.little(42, 4)?);
    if x > 0 {
        text.push_str(&format!(", resolution {x} x {y} px/m"));
    }
    text.push_str(&format!(
        ", cbSize {}, bits offset {}",
        bytes.little(2, 4)?,
        bytes.little(10, 4)?
    ));
    Some(Answer::binary(text, "image/bmp"))
}

fn netpbm(bytes: &[u8]) -> Option<Answer> {
    let (kind, mime, is_raw) = match bytes.get(..2)? {
        b"P1" => ("bitmap", "image/x-portable-bitmap", false),
        b"P2" => ("greymap", "image/x-portable-greymap", false),
        b"P3" => ("pixmap", "image/x-portable-pixmap", false),
        b"P4" => ("bitmap", "image/x-portable-bitmap", true),
        b"P5" => ("greymap", "image/x-portable-greymap", true),
        b"P6" => ("pixmap", "image/x-portable-pixmap", true),
        _ => return None,
    };
    let head = String::from_utf8_lossy(bytes.get(2..200).unwrap_or(bytes.get(2..)?)).into_owned();
    let mut words = head.split_ascii_whitespace().map(str::parse::<u32>);
    let (Some(Ok(width)), Some(Ok(height))) = (words.next(), words.next()) else {
        return None;
    };
    let (raw, ending) = if is_raw {
        ("rawbits, ", "")
    } else {
        ("", ", ASCII text")
    };
    Some(Answer::binary(
        format!("Netpbm image data, size = {width} x {height}, {raw}{kind}{ending}"),
        mime,
    ))
}

fn others(bytes: &[u8]) -> Option<Answer> {
    if let Some(text) = tiff(bytes) {
        return Some(Answer::binary(text, "image/tiff"));
    }
    if bytes.has(0, b"\0\0\x01\0") && bytes.len() > 22 {
        let count = bytes.little(4, 2)?;
        if count == 0 || count > 64 || bytes.byte(9)? != 0 {
            return None;
        }
        let size = |at| {
            Some(if bytes.byte(at)? == 0 {
                256
            } else {
                u32::from(bytes.byte(at)?)
            })
        };
        let plural = if count == 1 { "" } else { "s" };
        let bits = bytes.little(12, 2)?;
        let bits = if bits > 0 {
            format!(", {bits} bits/pixel")
        } else {
            String::new()
        };
        return Some(Answer::binary(
            format!(
                "MS Windows icon resource - {count} icon{plural}, {}x{}{bits}",
                size(6)?,
                size(7)?
            ),
            "image/vnd.microsoft.icon",
        ));
    }
    if bytes.has(0, b"8BPS") {
        let mode = match bytes.big(24, 2)? {
            0 => "bitmap",
            1 => "grayscale",
            2 => "indexed",
            3 => "RGB",
            4 => "CMYK",
            _ => "Lab",
        };
        return Some(Answer::binary(
            format!(
                "Adobe Photoshop Image, {} x {}, {mode}, {}x {}-bit channels",
                bytes.big(18, 4)?,
                bytes.big(14, 4)?,
                bytes.big(12, 2)?,
                bytes.big(22, 2)?
            ),
            "image/vnd.adobe.photoshop",
        ));
    }
    None
}
