//! Text cut to a size, with a last line that says so.

/// The most characters that one answer has, whatever else is set. More would crowd out the model's context.
pub const CHARACTERS_MAX: usize = 400_000;
/// Characters that a token is counted as.
pub const CHARACTERS_PER_TOKEN: usize = 4;

/// Returns the text, or so much of its beginning as is at most `characters_max` characters long and a line that says
/// how much was left out.
pub fn cut(mut text: String, characters_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters_max) else {
        return text;
    };
    let all = characters_max + text.get(end..).unwrap_or_default().chars().count();
    text.truncate(end);
    text.truncate(text.trim_end().len());
    text.push_str(&format!(
        "\n\n[cut: the first {characters_max} of {all} characters are shown]"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut_and_characters_stay_whole() {
        assert_eq!(cut("äöü".to_owned(), 3), "äöü");
        assert_eq!(
            cut("äöü and more".to_owned(), 4),
            "äöü\n\n[cut: the first 4 of 12 characters are shown]"
        );
        assert_eq!(cut(String::new(), 0), "");
    }
}
