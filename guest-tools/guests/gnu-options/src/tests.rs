//! Command lines and what they say.

use super::*;

const OPTIONS: Options = Options {
    short: "ae:i::",
    long: &[
        ("all", Takes::Nothing, 'a'),
        ("color", Takes::Optional, 'c'),
        ("colour", Takes::Optional, 'c'),
        ("count", Takes::Nothing, 'C'),
        ("expression", Takes::Argument, 'e'),
    ],
};

fn check(line: &str, expected: &str) {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let (items, error) = parse(&OPTIONS, &words);
    let mut shown: Vec<String> = items
        .into_iter()
        .map(|item| match item {
            Item::Operand(word) => word,
            Item::Option(letter, None, _) => format!("-{letter}"),
            Item::Option(letter, Some(argument), _) => format!("-{letter}={argument}"),
        })
        .collect();
    shown.extend(error);
    assert_eq!(shown.join(" "), expected, "for {line}");
}

#[test]
fn lines() {
    for (line, expected) in [
        ("x -a y", "x -a y"),
        ("-ae x -- -a", "-a -e=x -a"),
        ("-aex -i -i.b - z", "-a -e=x -i -i=.b - z"),
        ("--al --colo=x --expression y", "-a -c=x -e=y"),
        ("--expr=a=b", "-e=a=b"),
        (
            "-a --co=x",
            "-a option '--co=x' is ambiguous; possibilities: '--color' '--colour' '--count'",
        ),
        ("--all=1", "option '--all' doesn't allow an argument"),
        ("--expression", "option '--expression' requires an argument"),
        ("-a -x", "-a invalid option -- 'x'"),
        ("-e", "option requires an argument -- 'e'"),
        ("--nope=1", "unrecognized option '--nope=1'"),
    ] {
        check(line, expected);
    }
}
