//! The formats: their names, reading and writing.

use std::rc::Rc;

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Node, Origin, Style, Tree};
use crate::{base64, ini, json, merge, properties, shell, table, toml, xml, yaml_read, yaml_write};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
    Props,
    Csv,
    Tsv,
    Xml,
    Base64,
    Uri,
    Shell,
    Toml,
    Ini,
}

impl Format {
    /// Returns the format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "yaml" | "y" | "yml" => Self::Yaml,
            "json" | "j" => Self::Json,
            "props" | "p" | "properties" => Self::Props,
            "csv" | "c" => Self::Csv,
            "tsv" | "t" => Self::Tsv,
            "xml" | "x" => Self::Xml,
            "base64" => Self::Base64,
            "uri" => Self::Uri,
            "shell" | "s" | "sh" => Self::Shell,
            "toml" => Self::Toml,
            "ini" | "i" => Self::Ini,
            _ => return None,
        })
    }

    /// Returns the format that a file's name speaks of.
    pub fn of_file(file: &str) -> Option<Self> {
        let (_, end) = file.rsplit_once('.')?;
        match end {
            "yaml" | "yml" | "json" | "properties" | "csv" | "tsv" | "xml" | "toml" | "ini" => {
                Self::named(end)
            }
            _ => None,
        }
    }
}

/// Returns what an operator like `@json` or `from_xml` does: the format, whether it reads, and the indentation.
pub fn operator(name: &str) -> Option<(Format, bool, usize)> {
    if let Some(rest) = name.strip_prefix('@') {
        let (rest, is_reading) = match rest.strip_suffix('d') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        if rest.len() == 1 {
            return None;
        }
        let format = Format::named(rest)?;
        return Some((
            format,
            is_reading,
            if matches!(format, Format::Json | Format::Xml) {
                0
            } else {
                2
            },
        ));
    }
    let (rest, is_reading) = match name.strip_prefix("from") {
        Some(rest) => (rest, true),
        None => (name.strip_prefix("to")?, false),
    };
    let rest = rest.strip_prefix('_').unwrap_or(rest);
    if rest.len() < 3 {
        return None;
    }
    Format::named(rest).map(|format| (format, is_reading, 2))
}

/// Returns bytes as text; no format here is anything else.
pub fn as_text(bytes: &[u8]) -> Outcome<&str> {
    std::str::from_utf8(bytes).map_err(|_| Mistake::new("yaml: input is not UTF-8"))
}

/// Reads a whole text as one value.
pub fn decode(tree: &mut Tree, format: Format, bytes: &[u8]) -> Outcome<Id> {
    let documents = documents(tree, format, bytes, &Rc::default())?;
    match documents.as_slice() {
        [] => Ok(tree.null()),
        [one] => {
            let one = *one;
            tree[one].leading.clear();
            Ok(one)
        }
        many => Ok(crate::functions::collect(tree, many)),
    }
}

/// Reads all documents of a text.
pub fn documents(
    tree: &mut Tree,
    format: Format,
    bytes: &[u8],
    origin: &Rc<Origin>,
) -> Outcome<Vec<Id>> {
    let mut all = Vec::new();
    match format {
        Format::Yaml => {
            let mut reader = yaml_read::Reader::new(as_text(bytes)?, origin, 0);
            while let Some(root) = reader.next(tree)? {
                all.push(root);
            }
            return Ok(all);
        }
        Format::Json => all = json::read(tree, as_text(bytes)?)?,
        Format::Props => all.push(properties::read(tree, as_text(bytes)?)),
        Format::Csv => all.push(table::read(tree, as_text(bytes)?, ',')?),
        Format::Tsv => all.push(table::read(tree, as_text(bytes)?, '\t')?),
        Format::Xml => all.push(xml::read(tree, as_text(bytes)?)?),
        Format::Toml => all.push(toml::read(tree, as_text(bytes)?)?),
        Format::Ini => all.push(ini::read(tree, as_text(bytes)?)?),
        Format::Base64 => {
            let text = base64::decode(as_text(bytes)?.trim())?;
            all.push(tree.text(&String::from_utf8_lossy(&text)));
        }
        Format::Uri | Format::Shell => {
            return Err(Mistake::new("this format can only be written"));
        }
    }
    for (number, root) in all.iter().enumerate() {
        place(tree, *root, number, origin);
    }
    Ok(all)
}

fn place(tree: &mut Tree, node: Id, document: usize, origin: &Rc<Origin>) {
    tree[node].document = document;
    tree[node].origin = Rc::clone(origin);
    tree[node].line = tree[node].line.max(1);
    for child in tree[node].content.clone() {
        place(tree, child, document, origin);
    }
}

/// Reads a file as one value, in the format that the function's name speaks of.
pub fn load(tree: &mut Tree, name: &str, file: &str) -> Outcome<Id> {
    let bytes =
        read_file(file).map_err(|error| Mistake::new(format!("failed to load {file}: {error}")))?;
    let kind = name.replace("load", "").replace('_', "");
    match kind.as_str() {
        "str" => Ok(tree.text(&String::from_utf8_lossy(&bytes))),
        "" => decode(tree, Format::of_file(file).unwrap_or(Format::Yaml), &bytes),
        kind => decode(tree, Format::named(kind).unwrap_or(Format::Yaml), &bytes),
    }
}

/// Reads a file; what goes wrong is said as Go says it.
pub fn read_file(file: &str) -> Outcome<Vec<u8>> {
    std::fs::read(file).map_err(|error| {
        let words = process::Errno::from(&error).words().to_lowercase();
        let verb = if words.contains("is a directory") {
            "read"
        } else {
            "open"
        };
        Mistake::new(format!("{verb} {file}: {words}"))
    })
}

/// Writes a value with the end of its last line.
pub fn encode(
    tree: &mut Tree,
    node: Id,
    format: Format,
    indent: usize,
    unwraps: bool,
) -> Outcome<String> {
    if format == Format::Yaml {
        return Ok(yaml(tree, node, indent, unwraps));
    }
    let node = tree.copy(node);
    let node = if tree[node].kind == Kind::Alias {
        tree.follow(node)
    } else {
        node
    };
    let node = tree.copy(node);
    merge::explode(tree, node)?;
    Ok(match format {
        Format::Yaml => String::new(),
        Format::Json => json::write(tree, node, indent, unwraps)?,
        Format::Props => properties::write(tree, node, unwraps),
        Format::Csv => table::write(tree, node, ',')?,
        Format::Tsv => table::write(tree, node, '\t')?,
        Format::Xml => xml::write(tree, node, indent)?,
        Format::Shell => shell::write(tree, node)?,
        Format::Ini => ini::write(tree, node)?,
        Format::Base64 => {
            text_only(&tree[node]).map(|text| base64::encode(text.as_bytes()) + "\n")?
        }
        Format::Uri => text_only(&tree[node])?.to_owned() + "\n",
        Format::Toml => match tree[node].kind {
            Kind::Scalar => tree[node].value.clone() + "\n",
            _ => {
                return Err(Mistake::new(
                    "only scalars (e.g. strings, numbers, booleans) are supported for TOML output at the moment. Please use yaml output format (-oy) until the encoder has been fully implemented.",
                ));
            }
        },
    })
}

fn text_only(node: &Node) -> Outcome<&str> {
    if node.kind != Kind::Scalar || !node.is_text() {
        return Err(Mistake::new(format!(
            "cannot encode {} as base64, can only operate on strings",
            node.tag
        )));
    }
    Ok(&node.value)
}

fn yaml(tree: &mut Tree, node: Id, indent: usize, unwraps: bool) -> String {
    if unwraps && tree[node].kind == Kind::Scalar {
        let own = &tree[node];
        let end = if own.leading.is_empty() || !own.value.is_empty() {
            "\n"
        } else {
            ""
        };
        return own.value.clone() + end;
    }
    let is_plain_text = tree[node].kind == Kind::Scalar && tree[node].style == Style::Flow;
    if is_plain_text {
        tree[node].style = Style::Plain;
    }
    yaml_write::document(tree, node, indent)
}
