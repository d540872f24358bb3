//! The three outputs of diff3.

use std::io::{self, Write};

use super::Request;
use super::blocks::{Block, Odd, Span, lines};
use crate::text::Text;

const NO_END: &[u8] = b"\n\\ No newline at end of file\n";

fn text(texts: &[Text; 3], file: usize) -> &Text {
    let [first, ..] = texts;
    texts.get(file).unwrap_or(first)
}

/// Lists each block with the lines of all files.
pub(super) fn listing(
    out: &mut impl Write,
    request: &Request,
    texts: &[Text; 3],
    blocks: &[Block],
) -> io::Result<()> {
    let prefix: &[u8] = if request.initial_tab { b"\t" } else { b"  " };
    for block in blocks {
        let (order, silent) = match block.odd {
            Odd::All => ([0, 1, 2], None),
            Odd::One(0) => ([0, 1, 2], Some(1)),
            Odd::One(1) => ([0, 2, 1], Some(0)),
            Odd::One(_) => ([0, 1, 2], Some(0)),
        };
        match block.odd {
            Odd::All => writeln!(out, "====")?,
            Odd::One(file) => writeln!(out, "===={}", file + 1)?,
        }
        for file in order {
            let (start, end) = block.span(file);
            match end - start {
                0 => writeln!(out, "{}:{start}a", file + 1)?,
                1 => writeln!(out, "{}:{end}c", file + 1)?,
                _ => writeln!(out, "{}:{},{end}c", file + 1, start + 1)?,
            }
            if silent == Some(file) {
                continue;
            }
            for line in lines(text(texts, file), (start, end)) {
                out.write_all(prefix)?;
                out.write_all(line)?;
                if !line.ends_with(b"\n") {
                    out.write_all(NO_END)?;
                }
            }
        }
    }
    Ok(())
}

/// Returns whether a block counts as a conflict, or nothing if it is not put out.
fn conflict(request: &Request, block: &Block) -> Option<bool> {
    match block.odd {
        Odd::One(1) => request.show_second.then_some(true),
        Odd::One(2) => (!request.overlap_only).then_some(false),
        Odd::One(_) => None,
        Odd::All => (!request.simple_only).then_some(request.flagging),
    }
}

fn label(request: &Request, file: usize) -> &str {
    request.labels.get(file).map_or("", String::as_str)
}

/// Writes lines into an insertion of ed; returns whether one needs its first dot taken away again.
fn dotted(out: &mut impl Write, text: &Text, span: Span) -> io::Result<bool> {
    let mut has_dot = false;
    for line in lines(text, span) {
        if line.starts_with(b".") {
            has_dot = true;
            out.write_all(b".")?;
        }
        out.write_all(line)?;
        if !line.ends_with(b"\n") {
            out.write_all(b"\n")?;
        }
    }
    Ok(has_dot)
}

fn end_insertion(
    out: &mut impl Write,
    has_dot: bool,
    start: usize,
    count: usize,
) -> io::Result<()> {
    out.write_all(b".\n")?;
    match count {
        _ if !has_dot => Ok(()),
        1 => writeln!(out, "{start}s/^\\.//"),
        _ => writeln!(out, "{start},{}s/^\\.//", (start + count).saturating_sub(1)),
    }
}

/// Writes the script that makes the merged file of the first; returns whether there are conflicts.
pub(super) fn ed_script(
    out: &mut impl Write,
    request: &Request,
    texts: &[Text; 3],
    blocks: &[Block],
) -> io::Result<bool> {
    let mut conflicts = false;
    for block in blocks.iter().rev() {
        let Some(conflict) = conflict(request, block) else {
            continue;
        };
        let (start, end) = block.span(0);
        let count = |file| {
            let (start, end) = block.span(file);
            end - start
        };
        if conflict {
            conflicts = true;
            writeln!(out, "{end}a")?;
            let mut has_dot = false;
            if block.odd == Odd::All {
                if request.show_second {
                    writeln!(out, "||||||| {}", label(request, 1))?;
                    has_dot = dotted(out, text(texts, 1), block.span(1))?;
                }
                writeln!(out, "=======")?;
                has_dot |= dotted(out, text(texts, 2), block.span(2))?;
            }
            writeln!(out, ">>>>>>> {}", label(request, 2))?;
            end_insertion(out, has_dot, end + 2, count(1) + count(2) + 1)?;
            let first = if block.odd == Odd::All { 0 } else { 1 };
            writeln!(out, "{start}a\n<<<<<<< {}", label(request, first))?;
            has_dot = false;
            if block.odd == Odd::One(1) {
                has_dot = dotted(out, text(texts, 1), block.span(1))?;
                writeln!(out, "=======")?;
            }
            end_insertion(out, has_dot, start + 2, count(1))?;
        } else if count(2) == 0 {
            match end - start {
                1 => writeln!(out, "{end}d")?,
                _ => writeln!(out, "{},{end}d", start + 1)?,
            }
        } else {
            match end - start {
                0 => writeln!(out, "{end}a")?,
                1 => writeln!(out, "{end}c")?,
                _ => writeln!(out, "{},{end}c", start + 1)?,
            }
            let has_dot = dotted(out, text(texts, 2), block.span(2))?;
            end_insertion(out, has_dot, start + 1, count(2))?;
        }
    }
    if request.final_write {
        out.write_all(b"w\nq\n")?;
    }
    Ok(conflicts)
}

/// Writes the merged file; returns whether there are conflicts.
pub(super) fn merged(
    out: &mut impl Write,
    request: &Request,
    texts: &[Text; 3],
    blocks: &[Block],
) -> io::Result<bool> {
    let mut conflicts = false;
    let mut next = 0;
    let put = |out: &mut _, file: usize, span: Span| -> io::Result<()> {
        let out: &mut dyn Write = out;
        for line in lines(text(texts, file), span) {
            out.write_all(line)?;
        }
        Ok(())
    };
    for block in blocks {
        let Some(conflict) = conflict(request, block) else {
            continue;
        };
        let (start, end) = block.span(0);
        put(out, 0, (next, start))?;
        next = end;
        if conflict {
            conflicts = true;
            let mut mark = "<<<<<<<";
            if block.odd == Odd::All {
                writeln!(out, "<<<<<<< {}", label(request, 0))?;
                put(out, 0, block.span(0))?;
                mark = "|||||||";
            }
            if request.show_second {
                writeln!(out, "{mark} {}", label(request, 1))?;
                put(out, 1, block.span(1))?;
            }
            writeln!(out, "=======")?;
        }
        put(out, 2, block.span(2))?;
        if conflict {
            writeln!(out, ">>>>>>> {}", label(request, 2))?;
        }
    }
    put(out, 0, (next, text(texts, 0).lines()))?;
    Ok(conflicts)
}
