//! Help and version.

/// The version whose command line this is.
pub(crate) const VERSION: &str = "ripgrep 15.1.0\n\nfeatures:+pcre2\n";

/// What runs `-P`.
pub(crate) const LOOK_AROUND_VERSION: &str =
    "look-around and back-references run on fancy-regex, which is no PCRE2\n";

const SHORT: &str = "\
Usage:
    rg [OPTIONS] PATTERN [PATH ...]
    rg [OPTIONS] -e PATTERN ... [PATH ...]
    rg [OPTIONS] -f PATTERNFILE ... [PATH ...]
    rg [OPTIONS] --files [PATH ...]
    rg [OPTIONS] --type-list
    command | rg [OPTIONS] PATTERN
";

const OPTIONS: &str = "
Patterns: -e PATTERN, -f FILE, -F (no regular expressions), -P (look-around and
    back-references), -U (matches over several lines), --multiline-dotall
Letters: -i (either case), -S (either case unless there are capitals), -s, -w
    (whole words), -x (whole lines), -v (lines that do not match), --crlf,
    --null-data, -E ENCODING, --no-unicode, -m NUM (matches a file)
Files: -g GLOB, --iglob GLOB, -t TYPE, -T TYPE, --type-add, --type-clear,
    -. (hidden ones), -L (follows links), --max-depth NUM, --max-filesize SIZE,
    --no-ignore and its kin, --ignore-file FILE, -u (up to three times), -a and
    --binary, -z (compressed ones), --pre COMMAND
Output: -o, -r TEXT, -n, -N, -H, -I, -b, --column, --vimgrep, --heading,
    -A NUM, -B NUM, -C NUM, --passthru, -M NUM, --trim, -p, --color WHEN,
    --colors SPEC, -0, --json, --stats, -q, --sort BY, --sortr BY
Instead of matches: -c, --count-matches, -l, --files-without-match, --files,
    --type-list
";

/// Returns the help.
pub(crate) fn help(_is_long: bool) -> String {
    format!(
        "ripgrep searches folders for lines that match a regular expression.\n\n{SHORT}{OPTIONS}"
    )
}
