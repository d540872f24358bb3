//! What a text consists of. It knows nothing of WebAssembly, so `cargo test` runs it.

/// What a text consists of.
#[derive(Debug, PartialEq)]
pub struct Counts<'a> {
    pub lines: u32,
    pub words: u32,
    pub characters: u32,
    pub longest: &'a str,
}

/// Counts a text; words of fewer than `min_length` characters are passed over.
pub fn count_words(text: &str, min_length: u32) -> Result<Counts<'_>, String> {
    let (mut words, mut longest, mut longest_length) = (0, "", 0);
    for word in text.split_ascii_whitespace() {
        let length = word.chars().count() as u32;
        if length < min_length {
            continue;
        }
        words += 1;
        if length > longest_length {
            (longest, longest_length) = (word, length);
        }
    }
    if words == 0 {
        return Err(format!(
            "the text has no word of {min_length} or more characters"
        ));
    }
    Ok(Counts {
        lines: text.lines().count() as u32,
        words,
        characters: text.chars().count() as u32,
        longest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted() {
        let counts = Counts {
            lines: 2,
            words: 3,
            characters: 15,
            longest: "größte",
        };
        assert_eq!(count_words("ein größte\nWort", 1), Ok(counts));
    }

    #[test]
    fn short_words_are_passed_over() {
        let words = count_words("a bb ccc dd\n", 2).map(|counts| counts.words);
        assert_eq!(words, Ok(3));
        assert!(count_words("a bb", 3).is_err());
        assert!(count_words(" \n", 1).is_err());
    }
}
