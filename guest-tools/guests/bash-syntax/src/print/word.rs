//! Words to text.

use bstr::BString;

use super::command::Printer;
use crate::ast::{
    Argument, ArithmeticStyle, ArrayElement, Assignment, AssignmentValue, CaseChange,
    CommandSubstitution, Joining, List, Operation, Parameter, ParameterExpansion, ProcessDirection,
    RemoveSide, ReplaceAnchor, Special, Subscript, Transformation, UnsetAction, ValueExpansion,
    Word, WordPart,
};

pub(super) fn push_word(word: &Word, text: &mut BString) {
    push_parts(&word.parts, text);
}

fn push_parts(parts: &[WordPart], text: &mut BString) {
    for part in parts {
        push_part(part, text);
    }
}

fn push_part(part: &WordPart, text: &mut BString) {
    match part {
        WordPart::Literal(literal) => text.extend_from_slice(literal),
        WordPart::Escaped(character) => {
            text.push(b'\\');
            text.extend_from_slice(character);
        }
        WordPart::SingleQuoted(quoted) => {
            text.push(b'\'');
            text.extend_from_slice(quoted);
            text.push(b'\'');
        }
        WordPart::AnsiQuoted(value) => push_single_quoted(value, text),
        WordPart::DoubleQuoted(parts) | WordPart::LocaleQuoted(parts) => {
            text.push(b'"');
            push_parts(parts, text);
            text.push(b'"');
        }
        WordPart::Parameter(expansion) => push_parameter_expansion(expansion, text),
        WordPart::Command(substitution) => match substitution.as_ref() {
            CommandSubstitution::Parenthesised(list) => push_substituted(b"$(", list, text),
            CommandSubstitution::Backquoted(backquoted) => {
                text.push(b'`');
                text.extend_from_slice(&backquoted.source);
                text.push(b'`');
            }
        },
        WordPart::Arithmetic(arithmetic) => {
            let (open, close): (&[u8], &[u8]) = match arithmetic.style {
                ArithmeticStyle::Parenthesised => (b"$((", b"))"),
                ArithmeticStyle::Bracketed => (b"$[", b"]"),
            };
            text.extend_from_slice(open);
            push_word(&arithmetic.expression, text);
            text.extend_from_slice(close);
        }
        WordPart::Process(process) => {
            let open = match process.direction {
                ProcessDirection::Read => b"<(",
                ProcessDirection::Write => b">(",
            };
            push_substituted(open, &process.list, text);
        }
    }
}

/// Quotes with single quotes, whatever the text.
pub(super) fn push_single_quoted(value: &[u8], text: &mut BString) {
    text.push(b'\'');
    for byte in value {
        if *byte == b'\'' {
            text.extend_from_slice(b"'\\''");
        } else {
            text.push(*byte);
        }
    }
    text.push(b'\'');
}

fn push_substituted(open: &[u8], list: &List, text: &mut BString) {
    let commands = Printer::print_substituted(list);
    text.extend_from_slice(open);
    if commands.starts_with(b"(") {
        text.push(b' ');
    }
    text.extend_from_slice(&commands);
    text.push(b')');
}

fn push_parameter_expansion(expansion: &ParameterExpansion, text: &mut BString) {
    match expansion {
        ParameterExpansion::Value(value) => push_value_expansion(value, text),
        ParameterExpansion::Names { prefix, joining } => {
            text.extend_from_slice(b"${!");
            text.extend_from_slice(prefix);
            text.push(joining_sign(*joining));
            text.push(b'}');
        }
        ParameterExpansion::Keys { name, joining } => {
            text.extend_from_slice(b"${!");
            text.extend_from_slice(name);
            text.extend_from_slice(&[b'[', joining_sign(*joining), b']', b'}']);
        }
        ParameterExpansion::Bad { text: bad } => {
            text.extend_from_slice(b"${");
            text.extend_from_slice(bad);
            text.push(b'}');
        }
    }
}

fn push_value_expansion(value: &ValueExpansion, text: &mut BString) {
    text.push(b'$');
    if !value.is_braced {
        push_parameter(&value.parameter, text);
        return;
    }
    text.push(b'{');
    if value.operation == Operation::Length {
        text.push(b'#');
    }
    if value.is_indirect {
        text.push(b'!');
    }
    push_parameter(&value.parameter, text);
    push_operation(&value.operation, text);
    text.push(b'}');
}

/// Adds a parameter as it stands in `${...}`.
pub(super) fn push_parameter(parameter: &Parameter, text: &mut BString) {
    match parameter {
        Parameter::Name(name) => text.extend_from_slice(name),
        Parameter::Positional(number) => text.extend_from_slice(number.to_string().as_bytes()),
        Parameter::Special(special) => text.push(match special {
            Special::At => b'@',
            Special::Star => b'*',
            Special::Count => b'#',
            Special::Status => b'?',
            Special::Flags => b'-',
            Special::ProcessId => b'$',
            Special::BackgroundId => b'!',
            Special::Zero => b'0',
        }),
        Parameter::Element { name, subscript } => {
            text.extend_from_slice(name);
            text.push(b'[');
            match subscript {
                Subscript::All(joining) => text.push(joining_sign(*joining)),
                Subscript::Index(word) => push_word(word, text),
            }
            text.push(b']');
        }
    }
}

fn joining_sign(joining: Joining) -> u8 {
    match joining {
        Joining::Separate => b'@',
        Joining::Joined => b'*',
    }
}

fn push_operation(operation: &Operation, text: &mut BString) {
    match operation {
        Operation::Get | Operation::Length => {}
        Operation::WhenUnset {
            action,
            or_empty,
            word,
        } => {
            if *or_empty {
                text.push(b':');
            }
            text.push(match action {
                UnsetAction::Default => b'-',
                UnsetAction::Assign => b'=',
                UnsetAction::Fail => b'?',
                UnsetAction::Alternate => b'+',
            });
            push_word(word, text);
        }
        Operation::Remove {
            side,
            is_longest,
            pattern,
        } => {
            let sign = match side {
                RemoveSide::Prefix => b'#',
                RemoveSide::Suffix => b'%',
            };
            text.push(sign);
            if *is_longest {
                text.push(sign);
            }
            push_word(pattern, text);
        }
        Operation::Replace {
            anchor,
            pattern,
            replacement,
        } => {
            text.push(b'/');
            match anchor {
                ReplaceAnchor::First => {}
                ReplaceAnchor::All => text.push(b'/'),
                ReplaceAnchor::Prefix => text.push(b'#'),
                ReplaceAnchor::Suffix => text.push(b'%'),
            }
            push_word(pattern, text);
            if let Some(replacement) = replacement {
                text.push(b'/');
                push_word(replacement, text);
            }
        }
        Operation::ChangeCase {
            change,
            is_all,
            pattern,
        } => {
            let sign = match change {
                CaseChange::Upper => b'^',
                CaseChange::Lower => b',',
                CaseChange::Toggle => b'~',
            };
            text.push(sign);
            if *is_all {
                text.push(sign);
            }
            if let Some(pattern) = pattern {
                push_word(pattern, text);
            }
        }
        Operation::Substring { offset, length } => {
            text.push(b':');
            push_word(offset, text);
            if let Some(length) = length {
                text.push(b':');
                push_word(length, text);
            }
        }
        Operation::Transform(transformation) => {
            text.push(b'@');
            text.push(match transformation {
                Transformation::Quote => b'Q',
                Transformation::Escapes => b'E',
                Transformation::Prompt => b'P',
                Transformation::Assignment => b'A',
                Transformation::KeysQuoted => b'K',
                Transformation::Keys => b'k',
                Transformation::Attributes => b'a',
                Transformation::UpperFirst => b'u',
                Transformation::Upper => b'U',
                Transformation::Lower => b'L',
            });
        }
    }
}

pub(super) fn push_argument(argument: &Argument, text: &mut BString) {
    match argument {
        Argument::Word(word) => push_word(word, text),
        Argument::Assignment(assignment) => push_assignment(assignment, text),
    }
}

pub(super) fn push_assignment(assignment: &Assignment, text: &mut BString) {
    text.extend_from_slice(&assignment.name);
    if let Some(subscript) = &assignment.subscript {
        text.push(b'[');
        push_word(subscript, text);
        text.push(b']');
    }
    text.extend_from_slice(if assignment.is_append { b"+=" } else { b"=" });
    match &assignment.value {
        AssignmentValue::Scalar(word) => push_word(word, text),
        AssignmentValue::Array(elements) => {
            text.push(b'(');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    text.push(b' ');
                }
                push_element(element, text);
            }
            text.push(b')');
        }
    }
}

fn push_element(element: &ArrayElement, text: &mut BString) {
    if let Some(key) = &element.key {
        text.push(b'[');
        push_word(key, text);
        text.extend_from_slice(if element.is_append { b"]+=" } else { b"]=" });
    }
    push_word(&element.value, text);
}
