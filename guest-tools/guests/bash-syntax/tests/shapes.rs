//! What words and commands are read as, in a compact form: literals as they stand, every other part with its
//! kind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use bash_syntax::ast::{
    Argument, Assignment, AssignmentValue, CommandKind, CommandSubstitution, List,
    ParameterExpansion, Word, WordPart,
};
use bash_syntax::{
    NoAliases, ParseOptions, Parser, WordContext, parse_array_elements, parse_parameter,
    parse_word, print_parameter,
};

fn parts(word: &Word) -> String {
    word.parts.iter().map(part).collect::<Vec<_>>().join(" ")
}

fn inside(parts_of: &[WordPart]) -> String {
    parts(&Word {
        parts: parts_of.to_vec(),
    })
}

fn part(part: &WordPart) -> String {
    match part {
        WordPart::Literal(text) => format!("{text}"),
        WordPart::Escaped(text) => format!("esc({text})"),
        WordPart::SingleQuoted(text) => format!("sq({text})"),
        WordPart::AnsiQuoted(text) => format!("ansi({text})").replace('\n', "\\n"),
        WordPart::DoubleQuoted(list) => format!("dq({})", inside(list)),
        WordPart::LocaleQuoted(list) => format!("loc({})", inside(list)),
        WordPart::Parameter(expansion) => match expansion.as_ref() {
            ParameterExpansion::Value(value) => {
                let bang = if value.is_indirect { "!" } else { "" };
                let name = print_parameter(&value.parameter);
                let operation = format!("{:?}", value.operation);
                let operation = operation.split([' ', '(']).next().unwrap();
                if operation == "Get" {
                    format!("param({bang}{name})")
                } else {
                    format!("param({bang}{name} {operation})")
                }
            }
            ParameterExpansion::Names { prefix, joining } => format!("names({prefix} {joining:?})"),
            ParameterExpansion::Keys { name, joining } => format!("keys({name} {joining:?})"),
            ParameterExpansion::Bad { text } => format!("bad({text})"),
        },
        WordPart::Command(substitution) => match substitution.as_ref() {
            CommandSubstitution::Parenthesised(inner) => format!("cmd({})", list(inner)),
            CommandSubstitution::Backquoted(quoted) => {
                format!(
                    "back({})",
                    list(quoted.list(&ParseOptions::default()).unwrap())
                )
            }
        },
        WordPart::Arithmetic(arithmetic) => format!("arith({})", parts(&arithmetic.expression)),
        WordPart::Process(process) => format!("{:?}({})", process.direction, list(&process.list)),
    }
}

fn assignment(assignment: &Assignment) -> String {
    let subscript = assignment
        .subscript
        .as_ref()
        .map_or(String::new(), |word| format!("[{}]", parts(word)));
    let sign = if assignment.is_append { "+=" } else { "=" };
    let value = match &assignment.value {
        AssignmentValue::Scalar(word) => parts(word),
        AssignmentValue::Array(elements) => {
            let elements: Vec<String> = elements
                .iter()
                .map(|element| {
                    let key = element
                        .key
                        .as_ref()
                        .map_or(String::new(), |key| format!("[{}]=", parts(key)));
                    format!("{key}{}", parts(&element.value))
                })
                .collect();
            format!("({})", elements.join(", "))
        }
    };
    format!("set({}{subscript}{sign}{value})", assignment.name)
}

fn list(list: &List) -> String {
    let items = list.items.iter().map(|item| {
        let mut pipelines = vec![&item.chain.first];
        pipelines.extend(item.chain.rest.iter().map(|(_, pipeline)| pipeline));
        let pipelines: Vec<String> = pipelines
            .iter()
            .map(|pipeline| {
                let commands: Vec<String> = pipeline
                    .commands
                    .iter()
                    .map(|command| self::command(&command.kind))
                    .collect();
                format!(
                    "{}{}",
                    if pipeline.is_negated { "!" } else { "" },
                    commands.join(" | ")
                )
            })
            .collect();
        format!(
            "{}{}",
            pipelines.join(" .. "),
            if item.is_background { " &" } else { "" }
        )
    });
    items.collect::<Vec<_>>().join("; ")
}

fn command(kind: &CommandKind) -> String {
    match kind {
        CommandKind::Simple(simple) => {
            let assignments = simple.assignments.iter().map(assignment);
            let arguments = simple.arguments.iter().map(|argument| match argument {
                Argument::Word(word) => parts(word),
                Argument::Assignment(inner) => assignment(inner),
            });
            format!(
                "<{}>",
                assignments.chain(arguments).collect::<Vec<_>>().join(", ")
            )
        }
        CommandKind::Group(inner) => format!("{{{}}}", list(inner)),
        CommandKind::Subshell(inner) => format!("sub({})", list(inner)),
        CommandKind::Function(function) => {
            format!("{}(){}", function.name, command(&function.body.kind))
        }
        CommandKind::Arithmetic(word) => format!("(({}))", parts(word)),
        other => format!("{other:?}")
            .split(['(', ' '])
            .next()
            .unwrap()
            .to_owned(),
    }
}

fn check_with(options: &ParseOptions, source: &str, expected: &str) {
    let mut parser = Parser::new(source, options);
    let mut lists = Vec::new();
    while let Some(read) = parser
        .next(&NoAliases)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
    {
        lists.push(list(&read));
    }
    assert_eq!(lists.join(" / "), expected, "{source}");
}

#[test]
fn commands() {
    for (source, expected) in [
        ("a b; c & d && ! e | f", "<a, b>; <c> &; <d> .. !<e> | <f>"),
        ("a\n\n# x\nb", "<a> / <b>"),
        (
            "x=1 y+=2 z[i + 1]=3 cmd q=4",
            "<set(x=1), set(y+=2), set(z[i + 1]=3), cmd, q=4>",
        ),
        ("x=(1 [k]=v 'a b' # c\n)", "<set(x=(1, [k]=v, sq(a b)))>"),
        (
            "declare a=(1 2) b=$c d",
            "<declare, set(a=(1, 2)), set(b=param(c)), d>",
        ),
        ("command export a=b c", "<command, export, a=b, c>"),
        ("eval a=(1 2)", "<eval, a=(1 2)>"),
        ("foo[1 2] x", "<foo[1 2], x>"),
        (
            "f() { a; }; function g { b; }; h () (c)",
            "f(){<a>}; g(){<b>}; h()sub(<c>)",
        ),
        ("((a=1)); ((a); b)", "((a=1)); sub(sub(<a>); <b>)"),
        ("if a; then b; fi | while c; do d; done", "If | While"),
        ("case x in (a|b) c;; esac; for x do a; done", "Case; For"),
        ("if (a) then { b; } fi", "If"),
        ("time -p a; !", "<a>; !"),
        ("a$(case x in b) c;; esac # )\n)d", "<a cmd(Case) d>"),
        ("a \\\nb c\\\nd", "<a, b, cd>"),
        ("echo a#b #c", "<echo, a#b>"),
    ] {
        check_with(&ParseOptions::default(), source, expected);
    }
}

#[test]
fn words() {
    for (source, expected) in [
        (
            "a\\ b'c d'\"e $f\\$\\x\"",
            "<a esc( ) b sq(c d) dq(e  param(f) esc($) \\x)>",
        ),
        (
            "$'a\\n\\x41\\u00e9\\'' $\"b\"",
            "<ansi(a\\nA\u{e9}'), loc(b)>",
        ),
        (
            "$1$12${12}$@$x_y-z",
            "<param(1) param(1) 2 param(12) param(@) param(x_y) -z>",
        ),
        (
            "${#x} ${#} ${##} ${#x[@]} ${#-x} ${#:-x}",
            "<param(x Length), param(#), param(# Length), param(x[@] Length), param(# WhenUnset), param(# WhenUnset)>",
        ),
        (
            "${!x} ${!x*} ${!x[@]} ${!x@Q} ${!} ${!#} ${!-x}",
            "<param(!x), names(x Joined), keys(x Separate), param(!x Transform), param(!), param(!#), param(! WhenUnset)>",
        ),
        (
            "${x:-a} ${x: -1:2} ${x/a/b} ${x^^} ${x##*/} ${x@A}",
            "<param(x WhenUnset), param(x Substring), param(x Replace), param(x ChangeCase), param(x Remove), param(x Transform)>",
        ),
        (
            "${x y} ${} ${x@} ${x&}",
            "<bad(x y), bad(), bad(x@), bad(x&)>",
        ),
        (
            "${a[${b[1]}]} ${a[$x y]}",
            "<param(a[${b[1]}]), param(a[$x y])>",
        ),
        (
            "$((1+(2))) $[3] $( (a) ) $((a); b)",
            "<arith(1+(2)), arith(3), cmd(sub(<a>)), cmd(sub(<a>); <b>)>",
        ),
        (
            "`a \\`b\\`` \"`c \\\"d\\\"`\"",
            "<back(<a, back(<b>)>), dq(back(<c, dq(d)>))>",
        ),
        ("<(a) x>(b)", "<Read(<a>), x Write(<b>)>"),
        ("{a,b}~ *?[c]", "<{a,b}~, *?[c]>"),
        (
            "\"${x:-\"a b\"}\" \"${x:-'}'}\"",
            "<dq(param(x WhenUnset)), dq(param(x WhenUnset))>",
        ),
    ] {
        check_with(&ParseOptions::default(), source, expected);
    }
    let extended = ParseOptions {
        extglob: true,
        ..ParseOptions::default()
    };
    check_with(
        &extended,
        "@(a|b 'c'|*(d)) !(e)",
        "<@(a|b  sq(c) |*(d)), !(e)>",
    );
}

#[test]
fn texts_without_a_command() {
    let options = ParseOptions::default();
    for (context, text, expected) in [
        (WordContext::Unquoted, "a b;'c'", "a b; sq(c)"),
        (WordContext::DoubleQuoted, "a\"$b'", "a\" param(b) '"),
        (
            WordContext::HereDocument,
            "\\$ \\\" $(a)\n",
            "esc($)  \\\"  cmd(<a>) \n",
        ),
        (WordContext::Arithmetic, "\"1\"+$x", "dq(1) + param(x)"),
    ] {
        assert_eq!(
            parts(&parse_word(text.as_bytes(), context, &options).unwrap()),
            expected,
            "{text}"
        );
    }
    assert_eq!(
        parse_array_elements(b"1 [a]=2\n3", &options).unwrap().len(),
        3
    );
    for (text, is_parameter) in [
        ("x", true),
        ("x[$i]", true),
        ("x[@]", true),
        ("1", true),
        ("x y", false),
        ("x[1", false),
    ] {
        assert_eq!(
            parse_parameter(text.as_bytes(), &options).is_some(),
            is_parameter,
            "{text}"
        );
    }
}
