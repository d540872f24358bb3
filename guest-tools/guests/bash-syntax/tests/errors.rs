//! Errors in bash's words, recorded from bash 5.2, and what follows from where they are met.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use bash_syntax::{Aliases, ErrorKind, NoAliases, ParseOptions, Parser};

#[test]
fn messages() {
    let unexpected = |token: &str| format!("syntax error near unexpected token `{token}'");
    let matching = |close: &str| format!("unexpected EOF while looking for matching `{close}'");
    let end = || String::from("syntax error: unexpected end of file");
    for (source, line, message, source_line) in [
        ("echo )", 1, unexpected(")"), Some("echo )")),
        (
            "if\necho a; fi\nthen",
            2,
            unexpected("fi"),
            Some("echo a; fi"),
        ),
        (
            "for x in a; echo",
            1,
            unexpected("echo"),
            Some("for x in a; echo"),
        ),
        (
            "case x in a) echo;; b",
            1,
            unexpected("newline"),
            Some("case x in a) echo;; b"),
        ),
        ("a (b)", 1, unexpected("b"), Some("a (b)")),
        ("a b (c)", 1, unexpected("("), Some("a b (c)")),
        ("{ a; } > f fi", 1, unexpected("fi"), Some("{ a; } > f fi")),
        ("a | ! b", 1, unexpected("!"), Some("a | ! b")),
        ("a;; b", 1, unexpected(";;"), Some("a;; b")),
        ("a=(1 & 2)", 1, unexpected("&"), Some("a=(1 & 2)")),
        ("in", 1, unexpected("in"), Some("in")),
        ("for x { a; }", 1, unexpected("{"), Some("for x { a; }")),
        ("a $(b;;)", 1, unexpected(";;"), Some("a $(b;;)")),
        ("if a", 2, end(), None),
        ("echo \"abc\ndef", 1, matching("\""), None),
        ("echo ${x\nabc", 1, matching("}"), None),
        ("echo $(abc\ndef", 3, matching(")"), None),
        ("a=(1 2", 1, matching(")"), None),
        ("((1+", 1, matching(")"), None),
        (
            "[[ a b ]]",
            1,
            "conditional binary operator expected".into(),
            None,
        ),
        (
            "[[ a == ]]",
            1,
            "unexpected argument `]]' to conditional binary operator".into(),
            None,
        ),
        (
            "[[ ( a ]]",
            1,
            "unexpected token `]]', expected `)'".into(),
            None,
        ),
        (
            "[[ a == b c ]]",
            1,
            "syntax error in conditional expression".into(),
            None,
        ),
        (
            "[[ && ]]",
            1,
            "unexpected token `&&' in conditional command".into(),
            None,
        ),
        (
            "[[ a ;]]",
            1,
            "unexpected token `;', conditional binary operator expected".into(),
            None,
        ),
        (
            "for ((a;b)); do :; done",
            1,
            "syntax error: arithmetic expression required".into(),
            None,
        ),
    ] {
        let mut parser = Parser::new(source, &ParseOptions::default());
        let error = parser.next(&NoAliases).unwrap_err();
        assert_eq!(
            (error.line, error.message.to_string()),
            (line, message),
            "{source}"
        );
        let shown = error.source_line.map(|text| text.to_string());
        assert_eq!(shown.as_deref(), source_line, "{source}");
    }
}

#[test]
fn errors_come_when_their_line_is_reached() {
    let mut parser = Parser::new("a; b\nc )\nd\n", &ParseOptions::default());
    assert_eq!(parser.next(&NoAliases).unwrap().unwrap().items.len(), 2);
    assert_eq!((parser.position(), parser.line()), (5, 2));
    assert_eq!(
        parser.next(&NoAliases).unwrap_err().kind,
        ErrorKind::Invalid
    );
    assert!(
        parser.next(&NoAliases).unwrap().is_some(),
        "reading goes on behind the line of the error"
    );
    assert!(parser.next(&NoAliases).unwrap().is_none());
}

#[test]
fn open_text_waits_for_more() {
    let mut parser = Parser::new("a\nif b\n", &ParseOptions::default());
    parser.set_is_open(true);
    assert!(parser.next(&NoAliases).unwrap().is_some());
    for more in ["then cat <<E\n", "x\n", "E\nfi"] {
        assert_eq!(
            parser.next(&NoAliases).unwrap_err().kind,
            ErrorKind::Incomplete
        );
        assert_eq!(parser.position(), 2);
        parser.push(more.as_bytes());
    }
    parser.set_is_open(false);
    assert!(parser.next(&NoAliases).unwrap().is_some());
}

#[test]
fn here_documents_without_end_are_warned_of() {
    let mut parser = Parser::new("a <<E\nb\n", &ParseOptions::default());
    parser.next(&NoAliases).unwrap();
    let warnings = parser.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings.first().unwrap().message,
        "warning: here-document at line 1 delimited by end-of-file (wanted `E')"
    );
}

struct Table(&'static [(&'static str, &'static str)]);

impl Aliases for Table {
    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        let (_, value) = self.0.iter().find(|(alias, _)| alias.as_bytes() == name)?;
        Some(value.as_bytes())
    }
}

#[test]
fn aliases() {
    let table = Table(&[
        ("ls", "ls -l"),
        ("sudo", "sudo "),
        ("iff", "if a;"),
        ("loop", "loop2"),
        ("loop2", "loop x"),
        ("q", "echo 'a"),
        ("two", "b; c"),
    ]);
    let options = ParseOptions {
        expand_aliases: true,
        ..ParseOptions::default()
    };
    for (source, expected) in [
        ("ls ls", "ls -l ls"),
        ("sudo ls ls", "sudo ls -l ls"),
        ("'ls' x", "'ls' x"),
        ("\\ls x", "\\ls x"),
        ("loop", "loop x"),
        ("x=1 ls", "x=1 ls -l"),
        ("q b'", "echo 'a b'"),
        ("two d", "b; c d"),
        ("iff then b; fi", "if a; then\n    b;\nfi"),
    ] {
        let list = Parser::new(source, &options).next(&table).unwrap().unwrap();
        assert_eq!(
            bash_syntax::print_list_line(&list).to_string(),
            expected,
            "{source}"
        );
    }
}

/// Each nest is read within a stack of the size that a guest has, whether it is too deep or not.
#[test]
fn nesting_is_bounded() {
    let nests = [
        ("$(", ")"),
        ("\"$(", ")\""),
        ("${x:-", "}"),
        ("( ", " )"),
        ("{ ", ";}"),
        ("if a; then ", "; fi"),
        ("$((", "))"),
        ("$( (", ") )"),
    ];
    let run = move || {
        for (open, close) in nests {
            for (depth, is_read) in [(100, true), (100_000, false)] {
                let source = format!("{}a{}", open.repeat(depth), close.repeat(depth));
                let result = Parser::new(source, &ParseOptions::default()).next(&NoAliases);
                assert_eq!(result.is_ok(), is_read, "{open} {depth}");
            }
        }
    };
    // An unoptimised build takes several times the stack of a real one.
    let thread = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(run)
        .unwrap();
    thread.join().unwrap();
}

#[test]
fn long_texts_take_linear_time() {
    let quoted = format!("echo '{}'\n", "x\n".repeat(1 << 19));
    let lines = "echo \"$a\" b | c && d\n".repeat(20_000);
    let doubled = format!("{}1{}", "$((1+(".repeat(300), ")))".repeat(300));
    let unknown = format!("{}x{}", "${a b ${#c[".repeat(200), "]y}}".repeat(200));
    for source in [quoted, lines, doubled, unknown] {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        let run = move || {
            let mut parser = Parser::new(source, &ParseOptions::default());
            while parser.next(&NoAliases).is_ok_and(|list| list.is_some()) {}
        };
        thread.spawn(run).unwrap().join().unwrap();
    }
}
