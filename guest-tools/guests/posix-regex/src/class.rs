//! Sets of characters: the named classes as glibc has them in C.UTF-8, and sets as the automata want them.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange};

use crate::Options;

/// Returns the characters of a class by its name, or none if there is no such class.
pub(crate) fn named(name: &str, utf8: bool) -> Option<ClassUnicode> {
    let ascii = match name {
        "alpha" => "a-zA-Z",
        "digit" => "0-9",
        "alnum" => "a-zA-Z0-9",
        "upper" => "A-Z",
        "lower" => "a-z",
        "space" => r"\t\n\x0B\f\r ",
        "blank" => r"\t ",
        "punct" => r"!-/:-@\[-`{-~",
        "print" => " -~",
        "graph" => "!-~",
        "cntrl" => r"\x00-\x1F\x7F",
        "xdigit" => "0-9A-Fa-f",
        "word" => "a-zA-Z0-9_",
        _ => return None,
    };
    let wide = match name {
        "alpha" => r"[\p{Alphabetic}\p{Nd}--0-9]",
        "alnum" => r"[\p{Alphabetic}\p{Nd}]",
        "word" => return Some(word(utf8)),
        "upper" => r"[\p{Uppercase}\p{Lt}--[\p{Lm}\p{So}\p{Nl}]]|\p{Lt}",
        "lower" => r"[\p{Changes_When_Uppercased}--\p{Mn}]",
        "space" => r"[\t\n\x0B\f\r\p{Z}--\u{A0}\u{2007}\u{202F}]",
        "blank" => r"[\t\p{Zs}--\u{A0}\u{2007}\u{202F}]",
        "punct" => r"[[^\p{Cc}\p{Cn}\p{Cs}\p{Z}\p{Alphabetic}\p{Nd}]\u{A0}\u{2007}\u{202F}]",
        "print" => r"[^\p{Cc}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]",
        "graph" => r"[[^\p{Cc}\p{Cn}\p{Cs}\p{Z}]\u{A0}\u{2007}\u{202F}]",
        "cntrl" => r"[\p{Cc}\p{Zl}\p{Zp}]",
        _ => "",
    };
    let pattern = match utf8 && !wide.is_empty() {
        true => wide.to_owned(),
        false => format!("[{ascii}]"),
    };
    Some(parse(&pattern))
}

/// Returns the characters that words are made of.
pub(crate) fn word(utf8: bool) -> ClassUnicode {
    static WIDE: OnceLock<ClassUnicode> = OnceLock::new();
    match utf8 {
        true => WIDE
            .get_or_init(|| parse(r"[\p{Alphabetic}\p{Nd}_]"))
            .clone(),
        false => parse("[a-zA-Z0-9_]"),
    }
}

/// Reads a set in the syntax of the crate `regex`. The sets here are known to be well-formed.
fn parse(pattern: &str) -> ClassUnicode {
    let hir = regex_syntax::parse(pattern);
    match hir.as_ref().map(regex_syntax::hir::Hir::kind) {
        Ok(regex_syntax::hir::HirKind::Class(Class::Unicode(class))) => class.clone(),
        _ => ClassUnicode::empty(),
    }
}

/// Makes a set final: folds case, negates, and takes out what no match may hold.
pub(crate) fn finish(mut set: ClassUnicode, negated: bool, options: &Options) -> Class {
    let forbidden = [
        (negated && !options.dot_newline).then_some(b'\n'),
        options.line_terminator,
    ];
    if options.utf8 {
        if options.ignore_case {
            set.case_fold_simple();
        }
        if negated {
            set.negate();
        }
        for byte in forbidden.into_iter().flatten().map(char::from) {
            let range = ClassUnicodeRange::new(byte, byte);
            set.difference(&ClassUnicode::new([range]));
        }
        return Class::Unicode(set);
    }
    let mut bytes = ClassBytes::new(set.iter().filter_map(|range| {
        let start = u8::try_from(u32::from(range.start())).ok()?;
        let end = u8::try_from(u32::from(range.end())).unwrap_or(u8::MAX);
        Some(ClassBytesRange::new(start, end))
    }));
    if options.ignore_case {
        bytes.case_fold_simple();
    }
    if negated {
        bytes.negate();
    }
    for byte in forbidden.into_iter().flatten() {
        let range = ClassBytesRange::new(byte, byte);
        bytes.difference(&ClassBytes::new([range]));
    }
    Class::Bytes(bytes)
}

/// Returns the set of all characters that `.` stands for.
pub(crate) fn any(options: &Options) -> Class {
    finish(ClassUnicode::empty(), true, options)
}

/// Returns whether a set holds a character.
pub(crate) fn holds(class: &ClassUnicode, char: char) -> bool {
    class
        .ranges()
        .binary_search_by(|range| match char {
            _ if range.end() < char => std::cmp::Ordering::Less,
            _ if range.start() > char => std::cmp::Ordering::Greater,
            _ => std::cmp::Ordering::Equal,
        })
        .is_ok()
}
