//! Text: what it is about, its encoding and its lines.

use super::answer::Answer;
use super::encoding::{Encoding, Kind};
use super::{script, source};

/// Lines longer than this are told of.
const LINE_MAX: usize = 300;
/// Lines that CSV is looked for in.
const CSV_LINES: usize = 10;

/// What a text is about, as a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) words: String,
    pub(super) mime: &'static str,
    pub(super) ending: Ending,
}

/// What stands behind the words of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing: the words say it all.
    Nothing,
    /// The encoding and `text`.
    Text,
    /// That and `executable`.
    Executable,
}

/// Describes text.
pub(super) fn describe(bytes: &[u8], encoding: &Encoding) -> Answer {
    // Rules are written for ASCII.
    let converted: Vec<u8>;
    let plain = match encoding.kind {
        Kind::Utf16 { .. } | Kind::Utf32 { .. } => {
            converted = encoding.letters.iter().collect::<String>().into_bytes();
            &converted
        }
        Kind::Utf8WithMark => bytes.get(3..).unwrap_or(&[]),
        _ => bytes,
    };
    let topic = script::find(plain).or_else(|| source::find(plain));
    let topic = topic.unwrap_or(Topic {
        words: String::new(),
        mime: "text/plain",
        ending: Ending::Text,
    });
    let mut text = topic.words;
    if topic.ending != Ending::Nothing {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(encoding.name());
        if !matches!(encoding.kind, Kind::Utf32 { .. }) {
            text.push_str(" text");
            if topic.ending == Ending::Executable {
                text.push_str(" executable");
            }
            text.push_str(&lines(&encoding.letters));
        }
    }
    Answer {
        text,
        mime: topic.mime.to_owned(),
        charset: "",
    }
}

/// Says what is special in the lines of a text.
fn lines(letters: &[char]) -> String {
    let (mut crlf, mut lf, mut cr, mut nel) = (0, 0, 0, 0);
    let mut longest = 0;
    // One before the first character.
    let mut end_before: Option<usize> = None;
    let mut after_cr = false;
    for (at, letter) in letters.iter().enumerate() {
        if *letter == '\n' {
            if after_cr {
                crlf += 1;
            } else {
                lf += 1;
            }
            end_before = Some(at);
        } else if after_cr {
            cr += 1;
        }
        after_cr = *letter == '\r';
        if after_cr {
            end_before = Some(at);
        }
        if *letter == '\u{85}' {
            nel += 1;
            end_before = Some(at);
        }
        let length = match end_before {
            Some(end) => at - end,
            None => at + 1,
        };
        if length > LINE_MAX {
            longest = longest.max(length);
        }
    }
    if after_cr {
        cr += 1;
    }
    let mut text = String::new();
    if longest > 0 {
        text.push_str(&format!(", with very long lines ({longest})"));
    }
    if crlf + lf + cr + nel == 0 {
        text.push_str(", with no line terminators");
    } else if crlf + cr + nel > 0 {
        let names: Vec<&str> = [(crlf, "CRLF"), (cr, "CR"), (lf, "LF"), (nel, "NEL")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(_, name)| *name)
            .collect();
        text.push_str(&format!(", with {} line terminators", names.join(", ")));
    }
    if letters.contains(&'\u{1b}') {
        text.push_str(", with escape sequences");
    }
    if letters.contains(&'\u{8}') {
        text.push_str(", with overstriking");
    }
    text
}

/// Returns the answer for CSV: at least three lines with the same number of commas.
pub(super) fn csv(bytes: &[u8]) -> Option<Answer> {
    let answer = || Some(Answer::binary("CSV text", "text/csv"));
    let (mut commas, mut wanted, mut lines) = (0, 0, 0);
    let mut is_quoted = false;
    for byte in bytes {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b',' => commas += 1,
            b'\n' => {
                lines += 1;
                if lines == CSV_LINES {
                    return if commas == wanted { answer() } else { None };
                }
                if commas == 0 || wanted > 0 && commas != wanted {
                    return None;
                }
                wanted = commas;
                commas = 0;
            }
            _ => {}
        }
    }
    if wanted > 0 && lines > 2 {
        answer()
    } else {
        None
    }
}
