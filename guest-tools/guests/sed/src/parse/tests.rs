//! What is wrong with scripts, and where, as GNU sed 4.9 says it.

use super::parse;
use crate::{reader::Source, settings::Settings};

#[test]
fn errors_are_those_of_gnu() {
    let check = |script: &str, expected: &str| {
        let pieces = [(Source::Expression(1), script.as_bytes().to_vec())];
        let message = parse(&pieces, &Settings::default()).err();
        let message = message.unwrap_or_default();
        let message = message
            .strip_prefix("-e expression #1, ")
            .unwrap_or(&message);
        assert_eq!(message, expected, "{script}");
    };
    check("s/a/b", "char 5: unterminated `s' command");
    check(r"s/\(l\)/[\1]/2x", "char 15: unknown option to `s'");
    check(
        "y/ab/c/",
        "char 7: strings for `y' command are different lengths",
    );
    check("bfoo;p", "can't find label for jump to `foo'");
    check("{p", "char 0: unmatched `{'");
    check("p}", "char 2: unexpected `}'");
    check("1,p", "char 3: unexpected `,'");
    check("0p", "char 2: invalid usage of line address 0");
    check("1!!p", "char 3: multiple `!'s");
    check("p p", "char 3: extra characters after command");
    check(":", "char 1: \":\" lacks a label");
    check("1:a", "char 2: : doesn't want any addresses");
    check(
        r"s/a/\2/",
        "char 7: invalid reference \\2 on `s' command's RHS",
    );
    check("r", "char 1: missing filename in r/R/w/W commands");
    check("/x", "char 2: unterminated address regex");
    check("+1p", "char 2: invalid usage of +N or ~N as first address");
    check("s/a/b/gg", "char 8: multiple `g' options to `s' command");
    check(
        "s/a/b/0",
        "char 7: number option to `s' command may not be zero",
    );
    check("v 9.0", "char 5: expected newer version of sed");
    check("q 3 x", "char 5: extra characters after command");
    check("1,3q", "char 4: command only uses one address");
    check(r"s/\(/x/", "char 7: Unmatched ( or \\(");
    check(r"/\(/p", "char 4: Unmatched ( or \\(");
    check("1a", "char 2: expected \\ after `a', `c' or `i'");
    check("s/a/b/ ; p;$!{$!N};P;D;1~2,+1p;:a;ba;y/a/b/", "");
}
