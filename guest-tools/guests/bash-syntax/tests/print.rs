//! Printing: functions as `declare -f` of bash 5.2 prints them (recorded in `print/expected.txt`), and that
//! what is printed reads as the same again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use bash_syntax::ast::{Command, CommandKind};
use bash_syntax::{
    NoAliases, ParseOptions, Parser, print_command_line, print_function, print_list_line,
    print_simple,
};

/// Prints all functions that are defined at the top.
fn functions(source: &str) -> String {
    let mut parser = Parser::new(source, &ParseOptions::default());
    let mut printed = String::new();
    while let Some(list) = parser.next(&NoAliases).unwrap() {
        for item in &list.items {
            let command = item.chain.first.commands.first().unwrap();
            if let CommandKind::Function(function) = &command.kind {
                printed += &format!("{}\n", print_function(function));
            }
        }
    }
    printed
}

#[test]
fn functions_print_as_in_bash() {
    let printed = functions(include_str!("print/source.sh"));
    let expected = include_str!("print/expected.txt");
    for (number, (printed, expected)) in printed.lines().zip(expected.lines()).enumerate() {
        assert_eq!(printed, expected, "line {}", number + 1);
    }
    assert_eq!(printed.lines().count(), expected.lines().count());
    let simple =
        "f() { a $(b; c) \"${x:-$(d)}\" && { e; } | (f) >g; if h; then i; elif j; then k; fi; }";
    let once = functions(simple);
    assert_eq!(functions(&once), once);
}

fn first(source: &str) -> std::rc::Rc<Command> {
    let list = Parser::new(source, &ParseOptions::default())
        .next(&NoAliases)
        .unwrap()
        .unwrap();
    std::rc::Rc::clone(
        list.items
            .first()
            .unwrap()
            .chain
            .first
            .commands
            .first()
            .unwrap(),
    )
}

#[test]
fn commands_print_on_one_line() {
    for (source, expected) in [
        ("sleep 1|cat>f", "sleep 1 | cat > f"),
        ("{ a;b; }", "{ a; b; }"),
        ("(a;b)&", "( a; b ) &"),
        ("while a;do b;done", "while a; do\n    b;\ndone"),
    ] {
        let list = Parser::new(source, &ParseOptions::default())
            .next(&NoAliases)
            .unwrap()
            .unwrap();
        assert_eq!(print_list_line(&list), expected);
    }
    assert_eq!(
        print_command_line(&first("x=1  a  'b'  >f")),
        "x=1 a 'b' > f"
    );
    assert_eq!(
        print_simple(&first("for x in a b; do c; done")),
        "for x in a b"
    );
}
