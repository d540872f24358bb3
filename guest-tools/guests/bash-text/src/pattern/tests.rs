//! Tables of patterns, with what bash 5.2 answers.

use super::*;

const EXTENDED: Options = Options {
    extglob: true,
    ignore_case: false,
};

fn pattern(text: &str) -> Pattern {
    Pattern::from_text(text.as_bytes(), EXTENDED)
}

#[test]
fn whole_texts_match() {
    for (text, pattern_text, expected) in [
        ("abc", "a*c", true),
        ("abc", "a*b", false),
        ("", "*", true),
        ("a]b", "a[]]b", true),
        ("a-b", "a[x-]b", true),
        ("[", "[", true),
        ("[ab", "[ab", true),
        ("é", "?", true),
        ("\u{e9}x", "[[:alpha:]]x", true),
        ("b", "[!a]", true),
        ("b", "[^a]", true),
        ("!", "[a!]", true),
        ("b", "[c-a]", false),
        ("a", "[[=a=]]", true),
        ("-", "[[.hyphen.]]", true),
        ("abab", "*(ab)", true),
        ("abx", "+(ab)", false),
        ("", "?(a)", true),
        ("foo", "!(bar)", true),
        ("bar", "!(bar)", false),
        ("foo.c", "!(*.c)", false),
        ("ab", "@(a|ab)b", true),
        ("a(b", "a(b", true),
        ("*", "\\*", true),
        ("\\", "\\\\", true),
    ] {
        assert_eq!(
            pattern(pattern_text).matches(text.as_bytes()),
            expected,
            "{text} == {pattern_text}"
        );
    }
}

#[test]
fn prefixes_and_suffixes() {
    for (text, pattern_text, expected) in [
        ("a/b/c", "*/", (Some(2), Some(4), None, None)),
        ("a.b.c", ".*", (None, None, Some(3), Some(1))),
        ("aab", "+(a)", (Some(1), Some(2), None, None)),
        ("abc", "?", (Some(1), Some(1), Some(2), Some(2))),
        ("aé", "*", (Some(0), Some(3), Some(3), Some(0))),
    ] {
        let pattern = pattern(pattern_text);
        let text = text.as_bytes();
        let found = (
            pattern.shortest_prefix(text),
            pattern.longest_prefix(text),
            pattern.shortest_suffix(text),
            pattern.longest_suffix(text),
        );
        assert_eq!(found, expected, "{pattern_text}");
    }
}

#[test]
fn hostile_patterns_end() {
    let text = "a".repeat(2000);
    assert!(!pattern(&"*a".repeat(50)).matches(format!("{text}b").as_bytes()));
    assert!(!pattern("*(*(a)|b)c").matches(text.as_bytes()));
    assert!(!pattern("*(a|aa)*(a|aa)b").matches(text.as_bytes()));
    assert!(pattern(&"@(".repeat(100_000)).matches("@(".repeat(100_000).as_bytes()));
}

#[test]
fn quoted_pieces_are_literal() {
    let pieces = [
        Piece {
            text: b"*",
            is_quoted: true,
        },
        Piece {
            text: b"*",
            is_quoted: false,
        },
    ];
    let pattern = Pattern::compile(&pieces, EXTENDED);
    assert!(pattern.matches(b"*x"));
    assert!(!pattern.matches(b"x*"));
    assert!(is_active(&pieces, false));
    assert!(!is_active(&pieces[..1], true));
}
