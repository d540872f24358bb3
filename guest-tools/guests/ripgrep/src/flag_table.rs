//! All flags: their names, and what each does.

use crate::flags::{
    Binary, Boundary, Case, Color, Engine, Flags, Mode, PatternSource, SortBy, TypeChange,
};
use crate::separators::{size, unescape};

/// What a flag with a value does.
pub(crate) type Apply = fn(&mut Flags, &str) -> Result<(), String>;

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// On or off.
    Switch(fn(&mut Flags, bool)),
    Value(Apply),
}

pub(crate) struct Flag {
    pub(crate) long: &'static str,
    short: Option<char>,
    /// Another name that turns it on.
    alias: &'static str,
    /// The name that turns it off.
    negated: &'static str,
    pub(crate) kind: Kind,
}

const fn switch(
    long: &'static str,
    short: Option<char>,
    negated: &'static str,
    apply: fn(&mut Flags, bool),
) -> Flag {
    Flag {
        long,
        short,
        alias: "",
        negated,
        kind: Kind::Switch(apply),
    }
}

const fn value(
    long: &'static str,
    short: Option<char>,
    negated: &'static str,
    apply: Apply,
) -> Flag {
    Flag {
        long,
        short,
        alias: "",
        negated,
        kind: Kind::Value(apply),
    }
}

const fn alias(flag: Flag, alias: &'static str) -> Flag {
    Flag { alias, ..flag }
}

/// Returns the flag with a long name, and whether the name turns it on.
pub(crate) fn long(name: &str) -> Option<(&'static Flag, bool)> {
    FLAGS.iter().find_map(|flag| {
        if flag.long == name || (!flag.alias.is_empty() && flag.alias == name) {
            Some((flag, true))
        } else if !flag.negated.is_empty() && flag.negated == name {
            Some((flag, false))
        } else {
            None
        }
    })
}

/// Returns the flag with a short name.
pub(crate) fn short(letter: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short == Some(letter))
}

/// Takes a flag with a value back.
pub(crate) fn unset(flag: &Flag, flags: &mut Flags) {
    match flag.long {
        "context-separator" => flags.context_separator = None,
        "encoding" => flags.encoding = None,
        "pre" => flags.pre = None,
        _ => {}
    }
}

fn number<N: std::str::FromStr<Err = std::num::ParseIntError>>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|error| format!("value is not a valid number: {error}"))
}

fn sort(text: &str) -> Result<SortBy, String> {
    Ok(match text {
        "none" => SortBy::None,
        "path" => SortBy::Path,
        "modified" => SortBy::Modified,
        "accessed" => SortBy::Accessed,
        "created" => SortBy::Created,
        _ => return Err(format!("choice '{text}' is unrecognized")),
    })
}

#[rustfmt::skip]
const FLAGS: &[Flag] = &[
    value("after-context", Some('A'), "", |flags, text| { flags.after = Some(number(text)?); flags.passthru = false; Ok(()) }),
    switch("auto-hybrid-regex", None, "no-auto-hybrid-regex", |flags, is_on| flags.engine = if is_on { Engine::Auto } else { Engine::Default }),
    value("before-context", Some('B'), "", |flags, text| { flags.before = Some(number(text)?); flags.passthru = false; Ok(()) }),
    switch("binary", None, "no-binary", |flags, is_on| flags.binary = if is_on { Binary::Search } else { Binary::Auto }),
    switch("block-buffered", None, "no-block-buffered", |flags, is_on| flags.is_line_buffered &= !is_on),
    switch("byte-offset", Some('b'), "no-byte-offset", |flags, is_on| flags.byte_offset = is_on),
    switch("case-sensitive", Some('s'), "", |flags, _| flags.case = Case::Sensitive),
    value("color", None, "", |flags, text| {
        flags.color = match text {
            "never" => Color::Never,
            "auto" => Color::Auto,
            "always" | "ansi" => Color::Always,
            _ => return Err(format!("choice '{text}' is unrecognized")),
        };
        Ok(())
    }),
    value("colors", None, "", |flags, text| { flags.colors.push(text.to_owned()); Ok(()) }),
    switch("column", None, "no-column", |flags, is_on| flags.column = Some(is_on)),
    value("context", Some('C'), "", |flags, text| { flags.both = Some(number(text)?); flags.passthru = false; Ok(()) }),
    value("context-separator", None, "no-context-separator", |flags, text| { flags.context_separator = Some(unescape(text)); Ok(()) }),
    switch("count", Some('c'), "", |flags, _| flags.set_mode(Mode::Count)),
    switch("count-matches", None, "", |flags, _| flags.set_mode(Mode::CountMatches)),
    switch("crlf", None, "no-crlf", |flags, is_on| { flags.crlf = is_on; if is_on { flags.null_data = false; } }),
    switch("debug", None, "", |_, _| {}),
    value("dfa-size-limit", None, "", |flags, text| { flags.dfa_size_limit = Some(size(text)?); Ok(()) }),
    value("encoding", Some('E'), "no-encoding", |flags, text| { flags.encoding = Some(text.to_owned()); Ok(()) }),
    value("engine", None, "", |flags, text| {
        flags.engine = match text {
            "default" => Engine::Default,
            "pcre2" => Engine::LookAround,
            "auto" => Engine::Auto,
            _ => return Err(format!("unrecognized regex engine '{text}'")),
        };
        Ok(())
    }),
    value("field-context-separator", None, "", |flags, text| { flags.field_context_separator = Some(unescape(text)); Ok(()) }),
    value("field-match-separator", None, "", |flags, text| { flags.field_match_separator = Some(unescape(text)); Ok(()) }),
    value("file", Some('f'), "", |flags, text| { flags.patterns.push(PatternSource::File(text.to_owned())); Ok(()) }),
    switch("files", None, "", |flags, _| flags.set_mode(Mode::Files)),
    switch("files-with-matches", Some('l'), "", |flags, _| flags.set_mode(Mode::FilesWithMatches)),
    switch("files-without-match", None, "", |flags, _| flags.set_mode(Mode::FilesWithoutMatch)),
    switch("fixed-strings", Some('F'), "no-fixed-strings", |flags, is_on| flags.is_fixed = is_on),
    switch("follow", Some('L'), "no-follow", |flags, is_on| flags.follow = is_on),
    value("generate", None, "", |_, _| Err("is not supported here".to_owned())),
    value("glob", Some('g'), "", |flags, text| { flags.globs.push(text.to_owned()); Ok(()) }),
    switch("glob-case-insensitive", None, "no-glob-case-insensitive", |flags, is_on| flags.globs_ignore_case = is_on),
    switch("heading", None, "no-heading", |flags, is_on| flags.heading = Some(is_on)),
    switch("help", None, "", |flags, _| flags.wants_help = Some(true)),
    switch("help-short", Some('h'), "", |flags, _| flags.wants_help = Some(false)),
    switch("hidden", Some('.'), "no-hidden", |flags, is_on| flags.hidden = is_on),
    value("hostname-bin", None, "", |_, _| Ok(())),
    value("hyperlink-format", None, "", |_, _| Ok(())),
    value("iglob", None, "", |flags, text| { flags.iglobs.push(text.to_owned()); Ok(()) }),
    switch("ignore-case", Some('i'), "", |flags, _| flags.case = Case::Insensitive),
    value("ignore-file", None, "", |flags, text| { flags.ignore_files.push(text.to_owned()); Ok(()) }),
    switch("ignore-file-case-insensitive", None, "no-ignore-file-case-insensitive", |flags, is_on| flags.ignore_files_ignore_case = is_on),
    switch("include-zero", None, "no-include-zero", |flags, is_on| flags.include_zero = is_on),
    switch("invert-match", Some('v'), "no-invert-match", |flags, is_on| flags.is_inverted = is_on),
    switch("json", None, "no-json", |flags, is_on| if is_on { flags.set_mode(Mode::Json) } else { flags.set_mode(Mode::Search) }),
    switch("line-buffered", None, "no-line-buffered", |flags, is_on| flags.is_line_buffered = is_on),
    switch("line-number", Some('n'), "", |flags, _| flags.line_number = Some(true)),
    switch("line-regexp", Some('x'), "", |flags, _| flags.boundary = Boundary::Line),
    value("max-columns", Some('M'), "", |flags, text| { let width = number(text)?; flags.max_columns = Some(width).filter(|width| *width > 0); Ok(()) }),
    switch("max-columns-preview", None, "no-max-columns-preview", |flags, is_on| flags.max_columns_preview = is_on),
    value("max-count", Some('m'), "", |flags, text| { flags.max_count = Some(number(text)?); Ok(()) }),
    alias(value("max-depth", Some('d'), "", |flags, text| { flags.max_depth = Some(number(text)?); Ok(()) }), "maxdepth"),
    value("max-filesize", None, "", |flags, text| { flags.max_filesize = Some(size(text)?); Ok(()) }),
    switch("mmap", None, "no-mmap", |_, _| {}),
    switch("multiline", Some('U'), "no-multiline", |flags, is_on| flags.is_multiline = is_on),
    switch("multiline-dotall", None, "no-multiline-dotall", |flags, is_on| flags.dot_matches_all = is_on),
    switch("no-config", None, "", |flags, _| flags.no_config = true),
    switch("no-filename", Some('I'), "", |flags, _| flags.with_filename = Some(false)),
    switch("no-ignore", None, "ignore", |flags, is_on| {
        flags.no_ignore_dot = is_on;
        flags.no_ignore_exclude = is_on;
        flags.no_ignore_global = is_on;
        flags.no_ignore_parent = is_on;
        flags.no_ignore_vcs = is_on;
    }),
    switch("no-ignore-dot", None, "ignore-dot", |flags, is_on| flags.no_ignore_dot = is_on),
    switch("no-ignore-exclude", None, "ignore-exclude", |flags, is_on| flags.no_ignore_exclude = is_on),
    switch("no-ignore-files", None, "ignore-files", |flags, is_on| flags.no_ignore_files = is_on),
    switch("no-ignore-global", None, "ignore-global", |flags, is_on| flags.no_ignore_global = is_on),
    switch("no-ignore-messages", None, "ignore-messages", |flags, is_on| flags.no_ignore_messages = is_on),
    switch("no-ignore-parent", None, "ignore-parent", |flags, is_on| flags.no_ignore_parent = is_on),
    switch("no-ignore-vcs", None, "ignore-vcs", |flags, is_on| flags.no_ignore_vcs = is_on),
    switch("no-line-number", Some('N'), "", |flags, _| flags.line_number = Some(false)),
    switch("no-messages", None, "messages", |flags, is_on| flags.no_messages = is_on),
    switch("no-pcre2-unicode", None, "pcre2-unicode", |flags, is_on| flags.no_unicode = is_on),
    switch("no-require-git", None, "require-git", |flags, is_on| flags.no_require_git = is_on),
    switch("no-unicode", None, "unicode", |flags, is_on| flags.no_unicode = is_on),
    switch("null", Some('0'), "", |flags, _| flags.null = true),
    switch("null-data", None, "", |flags, _| { flags.null_data = true; flags.crlf = false; }),
    switch("one-file-system", None, "no-one-file-system", |flags, is_on| flags.one_file_system = is_on),
    switch("only-matching", Some('o'), "", |flags, _| flags.only_matching = true),
    alias(switch("passthru", None, "", |flags, _| { flags.passthru = true; flags.before = None; flags.after = None; flags.both = None; }), "passthrough"),
    value("path-separator", None, "", |flags, text| {
        flags.path_separator = match unescape(text).as_slice() {
            [] => None,
            [byte] => Some(*byte),
            _ => return Err(format!("A path separator must be exactly one byte, but the given separator is {} bytes: {text}\nIn some shells on Windows '/' is automatically expanded. Use '//' instead.", text.len())),
        };
        Ok(())
    }),
    switch("pcre2", Some('P'), "no-pcre2", |flags, is_on| flags.engine = if is_on { Engine::LookAround } else { Engine::Default }),
    switch("pcre2-version", None, "", |flags, _| flags.wants_pcre2_version = true),
    value("pre", None, "no-pre", |flags, text| { flags.pre = Some(text.to_owned()).filter(|text| !text.is_empty()); flags.decompresses = false; Ok(()) }),
    value("pre-glob", None, "", |flags, text| { flags.pre_globs.push(text.to_owned()); Ok(()) }),
    switch("pretty", Some('p'), "", |flags, _| flags.pretty = true),
    switch("quiet", Some('q'), "", |flags, _| flags.quiet = true),
    value("regex-size-limit", None, "", |flags, text| { flags.regex_size_limit = Some(size(text)?); Ok(()) }),
    value("regexp", Some('e'), "", |flags, text| { flags.patterns.push(PatternSource::Text(text.to_owned())); Ok(()) }),
    value("replace", Some('r'), "", |flags, text| { flags.replacement = Some(text.to_owned()); Ok(()) }),
    switch("search-zip", Some('z'), "no-search-zip", |flags, is_on| { flags.decompresses = is_on; if is_on { flags.pre = None; } }),
    switch("smart-case", Some('S'), "", |flags, _| flags.case = Case::Smart),
    value("sort", None, "", |flags, text| { flags.sort = sort(text)?; flags.is_sort_reversed = false; Ok(()) }),
    switch("sort-files", None, "no-sort-files", |flags, is_on| flags.sort = if is_on { SortBy::Path } else { SortBy::None }),
    value("sortr", None, "", |flags, text| { flags.sort = sort(text)?; flags.is_sort_reversed = true; Ok(()) }),
    switch("stats", None, "no-stats", |flags, is_on| flags.stats = is_on),
    switch("stop-on-nonmatch", None, "", |flags, _| flags.stop_on_nonmatch = true),
    switch("text", Some('a'), "no-text", |flags, is_on| flags.binary = if is_on { Binary::Text } else { Binary::Auto }),
    value("threads", Some('j'), "", |_, text| number::<usize>(text).map(|_| ())),
    switch("trace", None, "", |_, _| {}),
    switch("trim", None, "no-trim", |flags, is_on| flags.trims = is_on),
    value("type", Some('t'), "", |flags, text| { flags.types.push(TypeChange::Select(text.to_owned())); Ok(()) }),
    value("type-add", None, "", |flags, text| { flags.types.push(TypeChange::Add(text.to_owned())); Ok(()) }),
    value("type-clear", None, "", |flags, text| { flags.types.push(TypeChange::Clear(text.to_owned())); Ok(()) }),
    switch("type-list", None, "", |flags, _| flags.set_mode(Mode::TypeList)),
    value("type-not", Some('T'), "", |flags, text| { flags.types.push(TypeChange::Negate(text.to_owned())); Ok(()) }),
    switch("unrestricted", Some('u'), "", |flags, _| {
        flags.unrestricted += 1;
        match flags.unrestricted {
            1 => {
                flags.no_ignore_dot = true;
                flags.no_ignore_exclude = true;
                flags.no_ignore_global = true;
                flags.no_ignore_parent = true;
                flags.no_ignore_vcs = true;
            }
            2 => flags.hidden = true,
            _ => flags.binary = Binary::Search,
        }
    }),
    switch("version", Some('V'), "", |flags, _| flags.wants_version = true),
    switch("vimgrep", None, "", |flags, _| flags.vimgrep = true),
    switch("with-filename", Some('H'), "", |flags, _| flags.with_filename = Some(true)),
    switch("word-regexp", Some('w'), "", |flags, _| flags.boundary = Boundary::Word),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_flags() {
        for flag in FLAGS {
            let names = [flag.long, flag.alias, flag.negated];
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                let found = long(name).map(|(found, _)| found.long);
                assert_eq!(found, Some(flag.long), "{name}");
            }
            if let Some(letter) = flag.short {
                assert_eq!(
                    short(letter).map(|found| found.long),
                    Some(flag.long),
                    "{letter}"
                );
            }
        }
    }
}
