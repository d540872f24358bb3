//! The tree as JSON and as XML.

use std::io::{self, Write};

use process::Kind;

use super::node::{Node, Trail, Walk};
use super::options::{Form, Settings};
use super::{Totals, details};

/// Writes what stands before the first tree.
pub(super) fn begin(settings: &Settings, out: &mut dyn Write) -> io::Result<()> {
    match settings.form {
        Form::Text => Ok(()),
        Form::Json if !settings.indents => out.write_all(b"["),
        Form::Json => out.write_all(b"[\n"),
        Form::Xml => out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<tree>\n"),
    }
}

/// Writes what stands behind the last.
pub(super) fn end(settings: &Settings, totals: Totals, out: &mut dyn Write) -> io::Result<()> {
    let Totals { folders, files, .. } = totals;
    if settings.form == Form::Xml {
        if settings.reports {
            write!(
                out,
                "  <report>\n    <directories>{folders}</directories>\n"
            )?;
            if !settings.only_folders {
                writeln!(out, "    <files>{files}</files>")?;
            }
            out.write_all(b"  </report>\n")?;
        }
        return out.write_all(b"</tree>\n");
    }
    let end: &[u8] = if settings.indents { b"\n" } else { b"" };
    out.write_all(end)?;
    if settings.reports {
        out.write_all(b",")?;
        out.write_all(end)?;
        let blanks = if settings.indents { "  " } else { "" };
        write!(
            out,
            "{blanks}{{\"type\":\"report\",\"directories\":{folders}"
        )?;
        if !settings.only_folders {
            write!(out, ",\"files\":{files}")?;
        }
        out.write_all(b"}")?;
        out.write_all(end)?;
    }
    out.write_all(b"]")?;
    out.write_all(end)
}

/// Writes a tree.
pub(super) fn tree(
    settings: &Settings,
    walk: &Walk<'_>,
    root: &Node,
    is_next: bool,
    out: &mut dyn Write,
    totals: &mut Totals,
) -> io::Result<()> {
    let is_json = settings.form == Form::Json;
    if is_next && is_json {
        out.write_all(b",\n")?;
    }
    let mut trail = vec![Trail::of_folder(walk, root)];
    let mut writer = Writer {
        settings,
        walk,
        is_json,
        out,
        totals,
    };
    writer.node(root, 1, true, &mut trail)?;
    if !is_json {
        writer.end_line()?;
    }
    Ok(())
}

struct Writer<'a> {
    settings: &'a Settings,
    walk: &'a Walk<'a>,
    is_json: bool,
    out: &'a mut dyn Write,
    totals: &'a mut Totals,
}

impl Writer<'_> {
    fn end_line(&mut self) -> io::Result<()> {
        if self.settings.indents {
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Writes a node without the end of its line.
    fn node(
        &mut self,
        node: &Node,
        depth: usize,
        is_root: bool,
        trail: &mut Vec<Trail>,
    ) -> io::Result<()> {
        let kind = match node.kind() {
            Kind::Directory => "directory",
            Kind::Symlink => "link",
            Kind::Fifo => "fifo",
            Kind::Socket => "socket",
            Kind::CharacterDevice => "char",
            Kind::BlockDevice => "block",
            _ => "file",
        };
        if self.settings.indents {
            write!(self.out, "{:1$}", "", depth * 2)?;
        }
        let name = if self.settings.full_paths && !is_root {
            &node.path
        } else {
            &node.name
        };
        if self.is_json {
            write!(self.out, "{{\"type\":\"{kind}\",\"name\":{}", json(name))?;
        } else {
            write!(self.out, "<{kind} name=\"{}\"", xml(name))?;
        }
        if let Some(target) = node.target.as_ref().filter(|_| !is_root) {
            self.field("target", target)?;
        }
        self.details(node)?;
        if !self.is_json {
            self.out.write_all(b">")?;
        }
        if let Some(error) = &node.error {
            let error = if error == "error opening dir" {
                "opening dir"
            } else {
                error
            };
            if self.is_json {
                write!(self.out, ",\"contents\":[{{\"error\": \"{error}\"}}]")?;
            } else {
                write!(self.out, "<error>{error}</error>")?;
            }
        }
        let children = node.children.as_deref().unwrap_or(&[]);
        if children.is_empty() && is_root && !self.is_json {
            self.out.write_all(b"\n  ")?;
        }
        if !children.is_empty() {
            if self.is_json {
                self.out.write_all(b",\"contents\":[")?;
            }
            self.end_line()?;
            for (nth, child) in children.iter().enumerate() {
                self.child(child, depth + 1, trail)?;
                let is_last = nth + 1 == children.len();
                if self.is_json && !is_last {
                    self.out.write_all(b",")?;
                }
                self.end_line()?;
            }
            if self.settings.indents {
                write!(self.out, "{:1$}", "", depth * 2)?;
            }
            if self.is_json {
                self.out.write_all(b"]")?;
            }
        }
        if self.is_json {
            self.out.write_all(b"}")
        } else {
            write!(self.out, "</{kind}>")
        }
    }

    fn child(&mut self, node: &Node, depth: usize, trail: &mut Vec<Trail>) -> io::Result<()> {
        let mut node = node.clone();
        if node.children.is_none() {
            self.walk.descend(&mut node, depth - 1, trail);
        }
        self.totals.add_entry(&node);
        trail.push(Trail::of_folder(self.walk, &node));
        let written = self.node(&node, depth, false, trail);
        trail.pop();
        written
    }

    fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        if self.is_json {
            write!(self.out, ",\"{name}\":{}", json(value))
        } else {
            write!(self.out, " {name}=\"{}\"", xml(value))
        }
    }

    fn number(&mut self, name: &str, value: u64) -> io::Result<()> {
        if self.is_json {
            write!(self.out, ",\"{name}\":{value}")
        } else {
            write!(self.out, " {name}=\"{value}\"")
        }
    }

    fn details(&mut self, node: &Node) -> io::Result<()> {
        let Some(stat) = node.stat else {
            return Ok(());
        };
        let settings = self.settings;
        if settings.inode {
            self.number("inode", stat.inode)?;
        }
        if settings.device {
            self.number("dev", stat.device)?;
        }
        if settings.permissions {
            self.field("mode", &format!("{:04o}", stat.mode))?;
            self.field("prot", &details::permissions(node))?;
        }
        if settings.user {
            self.field("user", &details::user())?;
        }
        if settings.group {
            self.field("group", details::group())?;
        }
        if settings.size {
            self.number("size", node.bytes)?;
        }
        if settings.date {
            self.field("time", &details::date(settings, node))?;
        }
        Ok(())
    }
}

fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if letter.is_ascii_control() => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
