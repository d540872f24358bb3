//! The tree as text, with lines.

use std::io::{self, Write};

use process::Kind;

use super::node::{Node, Trail, Walk};
use super::options::{Lines, Settings};
use super::{Totals, colour, details};

/// The four pieces: of a file, of the last one, beside a folder, and below the last one.
fn pieces(lines: Lines) -> [&'static [u8]; 4] {
    match lines {
        Lines::Unicode => [
            "├── ".as_bytes(),
            "└── ".as_bytes(),
            "│\u{a0}\u{a0} ".as_bytes(),
            b"    ",
        ],
        Lines::Ascii => [b"|-- ", b"`-- ", b"|   ", b"    "],
        Lines::Ansi => [
            b"\x1b(0tqq \x1b(B",
            b"\x1b(0mqq \x1b(B",
            b"\x1b(0x   \x1b(B",
            b"    ",
        ],
        Lines::Codepage437 => [
            b"\xc3\xc4\xc4 ",
            b"\xc0\xc4\xc4 ",
            b"\xb3\xff\xff ",
            b"    ",
        ],
    }
}

/// Draws a tree.
pub(super) fn tree(
    settings: &Settings,
    walk: &Walk<'_>,
    root: &Node,
    out: &mut dyn Write,
    totals: &mut Totals,
) -> io::Result<()> {
    line(settings, root, b"", true, out)?;
    let mut trail = vec![Trail::of_folder(walk, root)];
    let mut before = Vec::new();
    let children = root.children.as_deref().unwrap_or(&[]);
    level(
        settings,
        walk,
        children,
        1,
        &mut before,
        &mut trail,
        out,
        totals,
    )
}

#[expect(
    clippy::too_many_arguments,
    reason = "one step of a walk, nothing else"
)]
fn level(
    settings: &Settings,
    walk: &Walk<'_>,
    nodes: &[Node],
    depth: usize,
    before: &mut Vec<u8>,
    trail: &mut Vec<Trail>,
    out: &mut dyn Write,
    totals: &mut Totals,
) -> io::Result<()> {
    let [middle, last, beside, below] = pieces(settings.lines);
    for (nth, node) in nodes.iter().enumerate() {
        let is_last = nth + 1 == nodes.len();
        let mut prefix = before.clone();
        if settings.indents {
            prefix.extend_from_slice(if is_last { last } else { middle });
        }
        let opened: Node;
        let node = if node.children.is_none() && node.error.is_none() {
            let mut copy = node.clone();
            walk.descend(&mut copy, depth, trail);
            opened = copy;
            &opened
        } else {
            node
        };
        totals.add_entry(node);
        line(settings, node, &prefix, false, out)?;
        if let Some(children) = &node.children {
            let length = before.len();
            if settings.indents {
                before.extend_from_slice(if is_last { below } else { beside });
            }
            trail.push(Trail::of_folder(walk, node));
            level(
                settings,
                walk,
                children,
                depth + 1,
                before,
                trail,
                out,
                totals,
            )?;
            trail.pop();
            before.truncate(length);
        }
    }
    Ok(())
}

fn line(
    settings: &Settings,
    node: &Node,
    prefix: &[u8],
    is_root: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let details = details::bracket(settings, node);
    let (first, second) = if settings.metadata_first {
        (details.as_bytes(), prefix)
    } else {
        (prefix, details.as_bytes())
    };
    out.write_all(first)?;
    out.write_all(second)?;
    let name = if settings.full_paths && !is_root {
        &node.path
    } else {
        &node.name
    };
    write_name(
        settings,
        name,
        settings.colours.then(|| colour::of(node)),
        out,
    )?;
    let is_link = node.target.is_some();
    if settings.classifies && !is_link {
        let has_mark = is_root && node.name.ends_with('/');
        let executable = node.stat.is_some_and(|stat| stat.mode & 0o111 != 0);
        if !has_mark {
            out.write_all(mark(node.kind(), executable).as_bytes())?;
        }
    }
    if let Some(target) = node.target.as_ref().filter(|_| !is_root) {
        out.write_all(b" -> ")?;
        let colour = settings.colours.then(|| colour::of_target(node));
        write_name(settings, target, colour, out)?;
        if settings.classifies
            && let Some(stat) = node.target_stat
        {
            out.write_all(mark(stat.kind, stat.mode & 0o111 != 0).as_bytes())?;
        }
    }
    if let Some(error) = &node.error {
        write!(out, "  [{error}]")?;
    }
    out.write_all(b"\n")
}

fn mark(kind: Kind, is_executable: bool) -> &'static str {
    match kind {
        Kind::Directory => "/",
        Kind::Fifo => "|",
        Kind::Socket => "=",
        Kind::Regular if is_executable => "*",
        _ => "",
    }
}

fn write_name(
    settings: &Settings,
    name: &str,
    colour: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut shown = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            _ if settings.hides_unprintable && letter.is_control() => shown.push('?'),
            '"' | '\\' if settings.quotes => {
                shown.push('\\');
                shown.push(letter);
            }
            _ => shown.push(letter),
        }
    }
    if settings.quotes {
        shown = format!("\"{shown}\"");
    }
    match colour {
        Some(code) => write!(out, "\x1b[{code}m{shown}\x1b[0m"),
        None => out.write_all(shown.as_bytes()),
    }
}

/// Writes how much was shown.
pub(super) fn report(settings: &Settings, totals: Totals, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\n")?;
    if settings.sums {
        let unit = if settings.is_human { "" } else { " bytes" };
        let size = details::size(settings, totals.bytes);
        write!(out, "{size}{unit} used in ")?;
    }
    let folders = if totals.folders == 1 { "y" } else { "ies" };
    write!(out, "{} director{folders}", totals.folders)?;
    if !settings.only_folders {
        let files = if totals.files == 1 { "" } else { "s" };
        write!(out, ", {} file{files}", totals.files)?;
    }
    out.write_all(b"\n")
}
