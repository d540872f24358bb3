//! Output too long for the model goes to a file of the hand; the model sees its ends and the path.

use cap_std::fs::Dir;

/// Longest output in characters that the model sees whole.
pub const OUTPUT_CHARS_MAX: usize = 100_000;
/// Characters shown from the start and from the end of a longer one.
const HEAD_CHARS: usize = 8_000;
const TAIL_CHARS: usize = 2_000;
/// Folder in the hand's `/tmp`.
pub(super) const FOLDER: &str = "tool-output";

/// Returns the text to show to the model. `name` is unique for the call; `tmp` is the hand's `/tmp`.
pub(super) fn shorten(text: String, name: &str, tmp: &Dir) -> String {
    let chars = text.chars().count();
    if chars <= OUTPUT_CHARS_MAX {
        return text;
    }
    let file = format!("{FOLDER}/{name}.txt");
    let stored = tmp
        .create_dir_all(FOLDER)
        .and_then(|()| tmp.write(&file, text.as_bytes()));
    let place = match stored {
        Ok(()) => format!("the whole output is in /tmp/{file}"),
        Err(error) => {
            tracing::warn!(%error, "a long output could not be stored");
            "the rest could not be stored".to_owned()
        }
    };
    ends(&text, chars, &place)
}

/// Returns the ends of a text that is too long and that no file holds.
pub fn cut(text: &str) -> String {
    match text.chars().count() {
        chars if chars <= OUTPUT_CHARS_MAX => text.to_owned(),
        chars => ends(text, chars, "the rest is not stored"),
    }
}

fn ends(text: &str, chars: usize, place: &str) -> String {
    let head = split_at_char(text, HEAD_CHARS).0;
    let tail = split_at_char(text, chars - TAIL_CHARS).1;
    let left_out = chars - HEAD_CHARS - TAIL_CHARS;
    format!("{head}\n[... {left_out} characters left out; {place} ...]\n{tail}")
}

fn split_at_char(text: &str, chars: usize) -> (&str, &str) {
    let at = text
        .char_indices()
        .nth(chars)
        .map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn long_output_is_stored_whole_and_shown_by_its_ends() {
        let folder = tempfile::tempdir().unwrap();
        let tmp = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let short = "é".repeat(OUTPUT_CHARS_MAX);
        assert_eq!(shorten(short.clone(), "a", &tmp), short);
        let long = format!("begin{}end", "é".repeat(OUTPUT_CHARS_MAX));
        let shown = shorten(long.clone(), "sevt_1", &tmp);
        assert!(shown.starts_with("begin") && shown.ends_with("end"));
        assert!(shown.contains("/tmp/tool-output/sevt_1.txt"), "{shown}");
        assert!(shown.chars().count() < HEAD_CHARS + TAIL_CHARS + 200);
        assert_eq!(tmp.read_to_string("tool-output/sevt_1.txt").unwrap(), long);
    }
}
