//! Sound and moving pictures, and what shares their containers.

use super::answer::{Answer, Bytes, find};

/// Returns the answer for media.
pub(super) fn look(bytes: &[u8]) -> Option<Answer> {
    if bytes.has(0, b"RIFF") {
        return riff(bytes);
    }
    if bytes.has(4, b"ftyp") {
        return iso_media(bytes);
    }
    if bytes.has(0, b"\x1a\x45\xdf\xa3") {
        let head = bytes.get(..4096).unwrap_or(bytes);
        return Some(if find(head, b"webm").is_some() {
            Answer::binary("WebM", "video/webm")
        } else {
            Answer::binary("Matroska data", "video/x-matroska")
        });
    }
    if bytes.has(0, b"ID3") {
        let text = format!(
            "Audio file with ID3 version 2.{}.{}",
            bytes.byte(3)?,
            bytes.byte(4)?
        );
        return Some(match bytes.big(6, 4) {
            Some(_) if bytes.len() > 4096 => Answer::binary(text, "audio/mpeg"),
            _ => Answer::binary(text, "application/octet-stream"),
        });
    }
    if bytes.has(0, b"OggS") {
        return Some(ogg(bytes));
    }
    if bytes.has(0, b"fLaC") {
        return flac(bytes);
    }
    if bytes.has(0, b"MThd") {
        return Some(Answer::binary(
            format!(
                "Standard MIDI data (format {}) using {} track{} at 1/{}",
                bytes.big(8, 2)?,
                bytes.big(10, 2)?,
                if bytes.big(10, 2)? == 1 { "" } else { "s" },
                bytes.big(12, 2)?
            ),
            "audio/midi",
        ));
    }
    mpeg(bytes)
}

fn riff(bytes: &[u8]) -> Option<Answer> {
    let mut text = "RIFF (little-endian) data".to_owned();
    match bytes.slice(8, 4) {
        Some(b"WAVE") => {
            text.push_str(", WAVE audio");
            if bytes.has(12, b"fmt ") && bytes.len() >= 36 {
                text.push_str(match bytes.little(20, 2)? {
                    1 => ", Microsoft PCM",
                    2 => ", Microsoft ADPCM",
                    3 => ", IEEE Float",
                    6 => ", ITU G.711 A-law",
                    7 => ", ITU G.711 mu-law",
                    _ => "",
                });
                let bits = bytes.little(34, 2)?;
                if bits > 0 {
                    text.push_str(&format!(", {bits} bit"));
                }
                match bytes.little(22, 2)? {
                    1 => text.push_str(", mono"),
                    2 => text.push_str(", stereo"),
                    channels => text.push_str(&format!(", {channels} channels")),
                }
                text.push_str(&format!(" {} Hz", bytes.little(24, 4)?));
            }
            Some(Answer::binary(text, "audio/x-wav"))
        }
        Some(b"WEBP") => {
            text.push_str(", Web/P image");
            if bytes.has(12, b"VP8 ") && bytes.len() >= 30 {
                let (width, height) = (bytes.little(26, 2)?, bytes.little(28, 2)?);
                text.push_str(&format!(
                    ", VP8 encoding, {}x{}, Scaling: [none]x[none], YUV color, decoders should clamp",
                    width & 0x3fff,
                    height & 0x3fff
                ));
            }
            Some(Answer::binary(text, "image/webp"))
        }
        Some(b"AVI ") => Some(Answer::binary(text + ", AVI", "video/x-msvideo")),
        _ => Some(Answer::binary(text, "application/octet-stream")),
    }
}

fn iso_media(bytes: &[u8]) -> Option<Answer> {
    let (words, mime) = match bytes.slice(8, 4)? {
        b"isom" => (", MP4 Base Media v1 [ISO 14496-12:2003]", "video/mp4"),
        b"iso2" => (", MP4 Base Media v2 [ISO 14496-12:2005]", "video/mp4"),
        b"iso4" => (", MP4 Base Media v4", "video/mp4"),
        b"iso5" => (", MP4 Base Media v5", "video/mp4"),
        b"iso6" => (", MP4 Base Media v6", "video/mp4"),
        b"mp41" => (", MP4 v1 [ISO 14496-1:ch13]", "video/mp4"),
        b"mp42" => (", MP4 v2 [ISO 14496-14]", "video/mp4"),
        b"avc1" => (", MP4 Base w/ AVC ext [ISO 14496-12:2005]", "video/mp4"),
        b"M4A " => (", Apple iTunes ALAC/AAC-LC (.M4A) Audio", "audio/x-m4a"),
        b"M4V " => (", Apple iTunes Video (.M4V) Video", "video/x-m4v"),
        b"qt  " => (
            ", Apple QuickTime movie, Apple QuickTime (.MOV/QT)",
            "video/quicktime",
        ),
        b"heic" => (
            ", HEIF Image HEVC Main or Main Still Picture Profile",
            "image/heic",
        ),
        b"mif1" => (", HEIF Image", "image/heif"),
        b"avif" => (", AVIF Image", "image/avif"),
        b"dash" => (
            ", MPEG v4 system, Dynamic Adaptive Streaming over HTTP",
            "video/mp4",
        ),
        _ => ("", "application/octet-stream"),
    };
    Some(Answer::binary(format!("ISO Media{words}"), mime))
}

fn ogg(bytes: &[u8]) -> Answer {
    if bytes.has(28, b"\x01vorbis")
        && let (Some(channels), Some(rate)) = (bytes.byte(39), bytes.little(40, 4))
    {
        let channels = match channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            other => format!("{other} channels"),
        };
        return Answer::binary(
            format!("Ogg data, Vorbis audio, {channels}, {rate} Hz"),
            "audio/ogg",
        );
    }
    if bytes.has(28, b"OpusHead") {
        return Answer::binary("Ogg data, Opus audio,", "audio/ogg");
    }
    Answer::binary("Ogg data", "application/octet-stream")
}

fn flac(bytes: &[u8]) -> Option<Answer> {
    let packed = bytes.big(18, 8)?;
    let rate = packed >> 44;
    let channels = (packed >> 41 & 7) + 1;
    let bits = (packed >> 36 & 31) + 1;
    let samples = packed & 0xf_ffff_ffff;
    let channels = match channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        other => format!("{other} channels"),
    };
    let mut rate_text = format!("{}", rate / 1000);
    if rate % 1000 != 0 {
        let digits = format!("{:03}", rate % 1000);
        rate_text = format!("{rate_text}.{}", digits.trim_end_matches('0'));
    }
    let length = match samples {
        0 => "length unknown".to_owned(),
        samples => format!("{samples} samples"),
    };
    Some(Answer::binary(
        format!("FLAC audio bitstream data, {bits} bit, {channels}, {rate_text} kHz, {length}"),
        "audio/flac",
    ))
}

fn mpeg(bytes: &[u8]) -> Option<Answer> {
    const RATES: [u32; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    if !matches!(bytes.get(..2)?, [0xff, 0xfa | 0xfb]) {
        return None;
    }
    let (third, fourth) = (bytes.byte(2)?, bytes.byte(3)?);
    let rate = RATES
        .get(usize::from(third >> 4))
        .copied()
        .filter(|rate| *rate > 0)?;
    let samples = match third >> 2 & 3 {
        0 => "44.1",
        1 => "48",
        2 => "32",
        _ => return None,
    };
    let mode = match fourth >> 6 {
        0 => "Stereo",
        1 => "JntStereo",
        2 => "2x Monaural",
        _ => "Monaural",
    };
    Some(Answer::binary(
        format!("MPEG ADTS, layer III, v1, {rate:3} kbps, {samples} kHz, {mode}"),
        "audio/mpeg",
    ))
}
