//! JSON: numbers stay as they are written, keys in their order.

use std::fmt::Write as _;

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Tree};
use crate::scalar;

/// How deep values nest, so that the stack holds.
const DEPTH_MAX: usize = 1000;

/// Reads all values of a text.
pub fn read(tree: &mut Tree, text: &str) -> Outcome<Vec<Id>> {
    let mut reader = Reader {
        rest: text,
        tree,
        depth: 0,
    };
    let mut all = Vec::new();
    loop {
        reader.skip();
        if reader.rest.is_empty() {
            return Ok(all);
        }
        all.push(reader.value()?);
    }
}

struct Reader<'t> {
    rest: &'t str,
    tree: &'t mut Tree,
    depth: usize,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self
            .rest
            .trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}']);
    }

    fn unexpected<T>(&self, what: &str) -> Outcome<T> {
        Err(Mistake::new(match self.rest.chars().next() {
            Some(character) => format!("json: invalid character '{character}' {what}"),
            None => "json: unexpected end of JSON input".to_owned(),
        }))
    }

    fn take(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Outcome<Id> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Mistake::new("json: exceeded max depth"));
        }
        self.skip();
        let value = match self.rest.chars().next() {
            Some('{') => self.object(),
            Some('[') => self.array(),
            Some('"') => {
                let text = self.string()?;
                Ok(self.tree.text(&text))
            }
            Some('-' | '0'..='9') => {
                let end = self
                    .rest
                    .find(|character: char| {
                        !(character.is_ascii_digit() || "+-.eE".contains(character))
                    })
                    .unwrap_or(self.rest.len());
                let (number, rest) = self.rest.split_at(end);
                if number.parse::<f64>().is_err() {
                    return self.unexpected("in numeric literal");
                }
                self.rest = rest;
                let tag = if number.contains(['.', 'e', 'E']) {
                    "!!float"
                } else {
                    "!!int"
                };
                Ok(self.tree.scalar(tag, number))
            }
            _ => {
                for (word, tag) in [("true", "!!bool"), ("false", "!!bool"), ("null", "!!null")] {
                    if let Some(rest) = self.rest.strip_prefix(word) {
                        self.rest = rest;
                        self.depth -= 1;
                        return Ok(self.tree.scalar(tag, word));
                    }
                }
                self.unexpected("looking for beginning of value")
            }
        };
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Outcome<Id> {
        self.take('{');
        let map = self.tree.map();
        self.skip();
        if self.take('}') {
            return Ok(map);
        }
        loop {
            self.skip();
            if !self.rest.starts_with('"') {
                return self.unexpected("looking for beginning of object key string");
            }
            let key = self.string()?;
            self.skip();
            if !self.take(':') {
                return self.unexpected("after object key");
            }
            let value = self.value()?;
            match self.tree.get(map, &key) {
                Some(old) => crate::assign::update(self.tree, old, value, true),
                None => self.tree.put_text(map, &key, value),
            }
            self.skip();
            if self.take('}') {
                return Ok(map);
            }
            if !self.take(',') {
                return self.unexpected("after object key:value pair");
            }
        }
    }

    fn array(&mut self) -> Outcome<Id> {
        self.take('[');
        let seq = self.tree.seq();
        self.skip();
        if self.take(']') {
            return Ok(seq);
        }
        loop {
            let item = self.value()?;
            self.tree.push(seq, item);
            self.skip();
            if self.take(']') {
                return Ok(seq);
            }
            if !self.take(',') {
                return self.unexpected("after array element");
            }
        }
    }

    fn string(&mut self) -> Outcome<String> {
        self.take('"');
        let mut out = String::new();
        loop {
            let Some(place) = self.rest.find(['"', '\\']) else {
                self.rest = "";
                return self.unexpected("");
            };
            let (plain, rest) = self.rest.split_at(place);
            out.push_str(plain);
            self.rest = rest;
            if self.take('"') {
                return Ok(out);
            }
            self.take('\\');
            let Some(escape) = self.rest.chars().next() else {
                return self.unexpected("");
            };
            self.take(escape);
            match escape {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                '"' | '\\' | '/' => out.push(escape),
                'u' => {
                    let mut code = self.unit()?;
                    if (0xd800..0xdc00).contains(&code) && self.rest.starts_with("\\u") {
                        let before = self.rest;
                        self.rest = self.rest.get(2..).unwrap_or_default();
                        let low = self.unit()?;
                        if (0xdc00..0xe000).contains(&low) {
                            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                        } else {
                            self.rest = before;
                        }
                    }
                    out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                _ => return self.unexpected("in string escape code"),
            }
        }
    }

    fn unit(&mut self) -> Outcome<u32> {
        let unit = self
            .rest
            .get(..4)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match unit {
            Some(unit) => {
                self.rest = self.rest.get(4..).unwrap_or_default();
                Ok(unit)
            }
            None => self.unexpected("in \\u hexadecimal character escape"),
        }
    }
}

/// Writes a value; `unwraps` writes a string alone as it is.
pub fn write(tree: &Tree, node: Id, indent: usize, unwraps: bool) -> Outcome<String> {
    if unwraps && tree[node].kind == Kind::Scalar {
        return Ok(tree[node].value.clone() + "\n");
    }
    let mut out = String::new();
    value(tree, node, indent, 0, &mut out)?;
    out.push('\n');
    Ok(out)
}

fn new_line(out: &mut String, indent: usize, depth: usize) {
    if indent > 0 {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    }
}

fn value(tree: &Tree, id: Id, indent: usize, depth: usize, out: &mut String) -> Outcome<()> {
    let node = &tree[id];
    match node.kind {
        Kind::Map if node.content.is_empty() => out.push_str("{}"),
        Kind::Seq if node.content.is_empty() => out.push_str("[]"),
        Kind::Map => {
            out.push('{');
            for (number, (key, item)) in node.pairs().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                new_line(out, indent, depth + 1);
                string(&tree[key].value, out);
                out.push_str(if indent > 0 { ": " } else { ":" });
                value(tree, item, indent, depth + 1, out)?;
            }
            new_line(out, indent, depth);
            out.push('}');
        }
        Kind::Seq => {
            out.push('[');
            for (number, item) in node.content.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                new_line(out, indent, depth + 1);
                value(tree, *item, indent, depth + 1, out)?;
            }
            new_line(out, indent, depth);
            out.push(']');
        }
        Kind::Scalar => match node.real_tag() {
            "!!null" => out.push_str("null"),
            "!!bool" => out.push_str(&node.value.to_lowercase()),
            "!!int" | "!!float" => number(&node.value, out)?,
            _ => string(&node.value, out),
        },
        Kind::Alias => out.push_str("null"),
    }
    Ok(())
}

/// A number that JSON knows stays as it is written.
fn number(text: &str, out: &mut String) -> Outcome<()> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_at(
        digits
            .find(|digit: char| !digit.is_ascii_digit())
            .unwrap_or(digits.len()),
    );
    let is_json = !whole.is_empty()
        && (whole.len() == 1 || !whole.starts_with('0'))
        && !rest.starts_with(['x', 'o', 'b', '_'])
        && !rest.contains('_')
        && !rest.starts_with(".e")
        && !rest.ends_with('.')
        && (rest.is_empty() || text.parse::<f64>().is_ok());
    if is_json {
        out.push_str(text);
        return Ok(());
    }
    if let Some(number) = scalar::integer(text) {
        out.push_str(&number.to_string());
        return Ok(());
    }
    match scalar::float(text) {
        Some(number) if number.is_finite() => out.push_str(&scalar::show(number)),
        _ => return Err(Mistake::new(format!("json: unsupported value: {text}"))),
    }
    Ok(())
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
