//! Reading pattern text into nodes.
//!
//! Text is first taken apart into characters that know whether they are quoted; everything after that looks
//! at characters alone, so a piece may end anywhere.

use super::set::{BYTE_BASE, Class, Item, Set};
use super::{Group, Node, Options, Piece};
use crate::characters;

/// Bounds the nesting of groups; deeper ones are literal. Without it a hostile pattern overflows the stack.
const GROUP_DEPTH_MAX: usize = 200;

/// A character of the pattern. Bytes that are not UTF-8 are counted from [`BYTE_BASE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Symbol {
    code: u32,
    is_quoted: bool,
}

impl Symbol {
    fn is(self, character: char) -> bool {
        !self.is_quoted && self.code == u32::from(character)
    }

    fn is_one_of(self, characters: &str) -> bool {
        characters.chars().any(|character| self.is(character))
    }
}

/// Compiles the text of `pieces`.
pub(super) fn nodes(pieces: &[Piece<'_>], options: Options) -> Vec<Node> {
    let symbols = symbols(pieces);
    let closes = if options.extglob {
        closes(&symbols)
    } else {
        Vec::new()
    };
    let mut compiler = Compiler {
        symbols: &symbols,
        closes,
        at: 0,
        options,
        depth: 0,
    };
    let mut nodes = Vec::new();
    while compiler.at < symbols.len() {
        compiler.node(&mut nodes);
    }
    nodes
}

/// Returns whether the text asks for pathname expansion.
pub(super) fn is_active(pieces: &[Piece<'_>], extglob: bool) -> bool {
    let is_possible = |piece: &Piece<'_>| {
        !piece.is_quoted && piece.text.iter().any(|byte| b"*?[+@!".contains(byte))
    };
    if !pieces.iter().any(is_possible) {
        return false;
    }
    let symbols = symbols(pieces);
    symbols.iter().enumerate().any(|(at, symbol)| {
        let next = symbols.get(at + 1);
        symbol.is_one_of("*?")
            || (symbol.is('[')
                && symbols
                    .get(at + 1..)
                    .is_some_and(|rest| rest.iter().any(|symbol| symbol.is(']'))))
            || (extglob && symbol.is_one_of("+@!") && next.is_some_and(|next| next.is('(')))
    })
}

fn symbols(pieces: &[Piece<'_>]) -> Vec<Symbol> {
    let mut symbols = Vec::with_capacity(pieces.iter().map(|piece| piece.text.len()).sum());
    let mut is_escaped = false;
    for (place, piece) in pieces.iter().enumerate() {
        let mut rest = piece.text;
        is_escaped &= !piece.is_quoted;
        let goes_on = pieces
            .get(place + 1)
            .is_some_and(|next| !next.is_quoted && !next.text.is_empty());
        while let Some(byte) = rest.first() {
            let (character, length) = characters::first(rest);
            rest = rest.get(length..).unwrap_or_default();
            let is_followed = !rest.is_empty() || goes_on;
            if *byte == b'\\' && !piece.is_quoted && !is_escaped && is_followed {
                is_escaped = true;
                continue;
            }
            let code = character.map_or(BYTE_BASE + u32::from(*byte), u32::from);
            // A backslash with nothing behind it stands for itself.
            let is_last_backslash = *byte == b'\\' && !is_followed;
            symbols.push(Symbol {
                code,
                is_quoted: piece.is_quoted || is_escaped || is_last_backslash,
            });
            is_escaped = false;
        }
    }
    symbols
}

/// Returns for each symbol whether it is an open parenthesis that closes: found in one pass, or nested open
/// ones would each be read to the end of the pattern.
fn closes(symbols: &[Symbol]) -> Vec<bool> {
    let mut closes = vec![false; symbols.len()];
    let mut open = Vec::new();
    for (at, symbol) in symbols.iter().enumerate() {
        if symbol.is('(') {
            open.push(at);
        } else if symbol.is(')')
            && let Some(closes) = open.pop().and_then(|start| closes.get_mut(start))
        {
            *closes = true;
        }
    }
    closes
}

struct Compiler<'a> {
    symbols: &'a [Symbol],
    /// Whether the open parenthesis at each place closes.
    closes: Vec<bool>,
    at: usize,
    options: Options,
    depth: usize,
}

impl Compiler<'_> {
    fn peek(&self, ahead: usize) -> Option<Symbol> {
        self.symbols.get(self.at + ahead).copied()
    }

    fn is_at(&self, ahead: usize, character: char) -> bool {
        self.peek(ahead).is_some_and(|symbol| symbol.is(character))
    }

    /// Reads one element at `at` and adds it to `nodes`.
    fn node(&mut self, nodes: &mut Vec<Node>) {
        let Some(symbol) = self.peek(0) else { return };
        if self.options.extglob && symbol.is_one_of("?*+@!") && self.is_at(1, '(') {
            let before = self.at;
            if let Some(node) = self.group(symbol) {
                nodes.push(node);
                return;
            }
            self.at = before;
        }
        if symbol.is('[') {
            let before = self.at;
            if let Some(set) = self.set() {
                nodes.push(Node::Set(Box::new(set)));
                return;
            }
            self.at = before;
        }
        self.at += 1;
        if symbol.is('?') {
            nodes.push(Node::Any);
        } else if symbol.is('*') {
            if !matches!(nodes.last(), Some(Node::Star)) {
                nodes.push(Node::Star);
            }
        } else {
            self.literal(symbol.code, nodes);
        }
    }

    fn literal(&self, code: u32, nodes: &mut Vec<Node>) {
        let character = char::from_u32(code);
        if let (true, Some(character)) = (self.options.ignore_case, character) {
            let lower = character.to_lowercase().next().unwrap_or(character);
            let upper = character.to_uppercase().next().unwrap_or(character);
            if lower != upper {
                nodes.push(Node::Folded { lower, upper });
                return;
            }
        }
        if !matches!(nodes.last(), Some(Node::Literal(_))) {
            nodes.push(Node::Literal(Vec::new()));
        }
        if let Some(Node::Literal(text)) = nodes.last_mut() {
            match character {
                Some(character) => {
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes())
                }
                None => text.push(u8::try_from(code.saturating_sub(BYTE_BASE)).unwrap_or(b'?')),
            }
        }
    }

    /// Reads a group, when its parenthesis closes.
    fn group(&mut self, kind: Symbol) -> Option<Node> {
        if self.depth >= GROUP_DEPTH_MAX {
            return None;
        }
        let kind = match char::from_u32(kind.code)? {
            '?' => Group::Optional,
            '*' => Group::Repeated,
            '+' => Group::OnceOrMore,
            '@' => Group::Once,
            _ => Group::Not,
        };
        let start = self.at;
        if !self.closes.get(start + 1).is_some_and(|closes| *closes) {
            return None;
        }
        self.depth += 1;
        self.at += 2;
        let mut alternatives = vec![Vec::new()];
        let node = loop {
            let Some(symbol) = self.peek(0) else {
                break None;
            };
            if symbol.is(')') {
                self.at += 1;
                break Some(Node::Group(kind, alternatives));
            }
            if symbol.is('|') {
                self.at += 1;
                alternatives.push(Vec::new());
                continue;
            }
            if let Some(nodes) = alternatives.last_mut() {
                self.node(nodes);
            }
        };
        self.depth -= 1;
        if node.is_none() {
            // A bracket expression took the end: the group is literal, and must not be tried again from
            // inside each group around it.
            if let Some(closes) = self.closes.get_mut(start + 1) {
                *closes = false;
            }
        }
        node
    }

    /// Reads a bracket expression, when it closes.
    fn set(&mut self) -> Option<Set> {
        self.at += 1;
        let is_negated = self.is_at(0, '!') || self.is_at(0, '^');
        if is_negated {
            self.at += 1;
        }
        let mut items = Vec::new();
        let mut is_first = true;
        loop {
            let symbol = self.peek(0)?;
            if symbol.is(']') && !is_first {
                self.at += 1;
                return Some(Set::new(is_negated, self.options.ignore_case, items));
            }
            is_first = false;
            if symbol.is('[')
                && self.is_at(1, ':')
                && let Some(length) = self.until(':')
            {
                if let Some(class) = Class::named(&self.name(length)) {
                    items.push(Item::Class(class));
                }
                self.at += length + 4;
                continue;
            }
            if symbol.is('[') && self.is_at(1, '=') && self.is_at(3, '=') && self.is_at(4, ']') {
                let code = self.peek(2)?.code;
                items.push(Item::Range(code, code));
                self.at += 5;
                continue;
            }
            let low = self.endpoint()?;
            let mut high = low;
            if self.is_at(0, '-') && self.peek(1).is_some_and(|next| !next.is(']')) {
                self.at += 1;
                high = self.endpoint()?;
            }
            if let (Some(low), Some(high)) = (low, high)
                && low <= high
            {
                items.push(Item::Range(low, high));
            }
        }
    }

    /// Reads a character or `[.x.]`; the inner `None` is a collating symbol that does not exist.
    fn endpoint(&mut self) -> Option<Option<u32>> {
        let symbol = self.peek(0)?;
        if symbol.is('[')
            && self.is_at(1, '.')
            && let Some(length) = self.until('.')
        {
            let code = match length {
                1 => self.peek(2).map(|symbol| symbol.code),
                _ => collating(&self.name(length)),
            };
            self.at += length + 4;
            return Some(code);
        }
        self.at += 1;
        Some(Some(symbol.code))
    }

    /// Returns how many symbols stand between `[x` and `x]`.
    fn until(&self, mark: char) -> Option<usize> {
        let rest = self.symbols.get(self.at + 2..)?;
        rest.windows(2).position(|pair| {
            pair.first().is_some_and(|symbol| symbol.is(mark))
                && pair.last().is_some_and(|symbol| symbol.is(']'))
        })
    }

    fn name(&self, length: usize) -> Vec<u8> {
        let symbols = self
            .symbols
            .get(self.at + 2..self.at + 2 + length)
            .unwrap_or_default();
        symbols
            .iter()
            .filter_map(|symbol| u8::try_from(symbol.code).ok())
            .collect()
    }
}

/// Returns the character of a POSIX collating symbol.
fn collating(name: &[u8]) -> Option<u32> {
    const NAMES: &[(&str, char)] = &[
        ("NUL", '\0'),
        ("space", ' '),
        ("exclamation-mark", '!'),
        ("quotation-mark", '"'),
        ("number-sign", '#'),
        ("dollar-sign", '$'),
        ("percent-sign", '%'),
        ("ampersand", '&'),
        ("apostrophe", '\''),
        ("left-parenthesis", '('),
        ("right-parenthesis", ')'),
        ("asterisk", '*'),
        ("plus-sign", '+'),
        ("comma", ','),
        ("hyphen", '-'),
        ("hyphen-minus", '-'),
        ("minus", '-'),
        ("dash", '-'),
        ("period", '.'),
        ("full-stop", '.'),
        ("slash", '/'),
        ("solidus", '/'),
        ("zero", '0'),
        ("one", '1'),
        ("two", '2'),
        ("three", '3'),
        ("four", '4'),
        ("five", '5'),
        ("six", '6'),
        ("seven", '7'),
        ("eight", '8'),
        ("nine", '9'),
        ("colon", ':'),
        ("semicolon", ';'),
        ("less-than-sign", '<'),
        ("equals-sign", '='),
        ("greater-than-sign", '>'),
        ("question-mark", '?'),
        ("commercial-at", '@'),
        ("left-square-bracket", '['),
        ("backslash", '\\'),
        ("reverse-solidus", '\\'),
        ("right-square-bracket", ']'),
        ("circumflex", '^'),
        ("circumflex-accent", '^'),
        ("underscore", '_'),
        ("low-line", '_'),
        ("grave-accent", '`'),
        ("left-brace", '{'),
        ("left-curly-bracket", '{'),
        ("vertical-line", '|'),
        ("right-brace", '}'),
        ("right-curly-bracket", '}'),
        ("tilde", '~'),
        ("tab", '\t'),
        ("newline", '\n'),
        ("carriage-return", '\r'),
        ("DEL", '\u{7f}'),
    ];
    NAMES
        .iter()
        .find(|(known, _)| known.as_bytes() == name)
        .map(|(_, character)| u32::from(*character))
}
