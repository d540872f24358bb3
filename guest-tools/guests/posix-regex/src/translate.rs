//! From the tree to what `regex-syntax` hands to the automata.

use regex_syntax::hir::{Capture, ClassUnicode, Hir, Look, Repetition};

use crate::{
    Options, class,
    tree::{Node, Place, Unit},
};

/// Returns the node for the automata. A back-reference becomes a copy of its group, which matches all that the
/// reference could and more; `root` is where the groups are.
pub(crate) fn translate(node: &Node, root: &Node, options: &Options) -> Hir {
    match node {
        Node::Empty => Hir::empty(),
        Node::Unit(Unit::Char(char)) => {
            if u32::from(*char) == options.line_terminator.map_or(u32::MAX, u32::from) {
                return Hir::fail();
            }
            let mut buffer = [0; 4];
            Hir::literal(char.encode_utf8(&mut buffer).as_bytes())
        }
        Node::Unit(Unit::Byte(byte)) => Hir::literal([*byte]),
        Node::Class(class) => Hir::class(class.clone()),
        Node::Look(place) => Hir::look(look(*place, options)),
        Node::Group(number, node) => Hir::capture(Capture {
            index: u32::try_from(*number).unwrap_or(u32::MAX),
            name: None,
            sub: Box::new(translate(node, root, options)),
        }),
        Node::Concat(nodes) => {
            Hir::concat(nodes.iter().map(|n| translate(n, root, options)).collect())
        }
        Node::Alternate(nodes) => {
            Hir::alternation(nodes.iter().map(|n| translate(n, root, options)).collect())
        }
        Node::Repeat { node, min, max } => Hir::repetition(Repetition {
            min: *min,
            max: *max,
            greedy: true,
            sub: Box::new(translate(node, root, options)),
        }),
        Node::Back(number) => match root.group(*number) {
            // References of references would multiply; any text at all is a superset too.
            Some(group) if group.has_back_reference() => Hir::repetition(Repetition {
                min: 0,
                max: None,
                greedy: true,
                sub: Box::new(Hir::class(class::finish(
                    ClassUnicode::empty(),
                    true,
                    &Options {
                        utf8: false,
                        dot_newline: true,
                        ..options.clone()
                    },
                ))),
            }),
            Some(group) => uncaptured(&translate(group, root, options)),
            None => Hir::fail(),
        },
    }
}

/// Returns the same without groups, so that no group is there twice.
fn uncaptured(hir: &Hir) -> Hir {
    use regex_syntax::hir::HirKind;
    match hir.kind() {
        HirKind::Capture(capture) => uncaptured(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(uncaptured).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(uncaptured).collect()),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(uncaptured(&repetition.sub)),
            ..repetition.clone()
        }),
        _ => hir.clone(),
    }
}

fn look(place: Place, options: &Options) -> Look {
    match (place, options.utf8) {
        (Place::LineStart, _) => Look::StartLF,
        (Place::LineEnd, _) => Look::EndLF,
        (Place::TextStart, _) => Look::Start,
        (Place::TextEnd, _) => Look::End,
        (Place::WordBoundary, true) => Look::WordUnicode,
        (Place::WordBoundary, false) => Look::WordAscii,
        (Place::NotWordBoundary, true) => Look::WordUnicodeNegate,
        (Place::NotWordBoundary, false) => Look::WordAsciiNegate,
        (Place::WordStart, true) => Look::WordStartUnicode,
        (Place::WordStart, false) => Look::WordStartAscii,
        (Place::WordEnd, true) => Look::WordEndUnicode,
        (Place::WordEnd, false) => Look::WordEndAscii,
        (Place::NoWordBefore, true) => Look::WordStartHalfUnicode,
        (Place::NoWordBefore, false) => Look::WordStartHalfAscii,
        (Place::NoWordAfter, true) => Look::WordEndHalfUnicode,
        (Place::NoWordAfter, false) => Look::WordEndHalfAscii,
    }
}
