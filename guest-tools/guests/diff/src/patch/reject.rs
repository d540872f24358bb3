//! Hunks that did not fit, written down for the user.

use super::find::Found;
use super::hunk::{Hunk, Line};

/// Returns the lines that name the files.
pub(super) fn head(found: &Found, is_unified: bool, reverse: bool) -> Vec<u8> {
    let mut text = String::new();
    if let Some(index) = &found.index {
        text.push_str(&format!("Index: {index}\n"));
    }
    let marks = if is_unified {
        ["---", "+++"]
    } else {
        ["***", "---"]
    };
    let sides = if reverse {
        [&found.new, &found.old]
    } else {
        [&found.old, &found.new]
    };
    for (mark, side) in marks.iter().zip(sides) {
        text.push_str(&format!(
            "{mark} {}{}\n",
            side.name.as_deref().unwrap_or("/dev/null"),
            side.time.as_deref().unwrap_or("")
        ));
    }
    text.into_bytes()
}

fn put(out: &mut Vec<u8>, prefix: &[u8], line: &Line) {
    out.push(line.mark);
    out.extend_from_slice(prefix);
    out.extend_from_slice(&line.text);
    if !line.text.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

/// Returns a hunk in the unified form; `shift` is how far its lines have moved.
pub(super) fn unified(hunk: &Hunk, shift: isize) -> Vec<u8> {
    let range = |start: usize, count: usize| {
        let start = start.saturating_add_signed(shift);
        match count {
            0 => format!("{},0", start.saturating_sub(1)),
            1 => start.to_string(),
            _ => format!("{start},{count}"),
        }
    };
    let mut out = format!(
        "@@ -{} +{} @@",
        range(hunk.old_start, hunk.old.len()),
        range(hunk.new_start, hunk.new.len())
    )
    .into_bytes();
    out.extend_from_slice(&hunk.function);
    out.push(b'\n');
    let (mut old, mut new) = (hunk.old.iter().peekable(), hunk.new.iter().peekable());
    loop {
        let before = out.len();
        while let Some(line) = old.next_if(|line| line.mark != b' ') {
            put(
                &mut out,
                b"",
                &Line {
                    mark: b'-',
                    text: line.text.clone(),
                },
            );
        }
        while let Some(line) = new.next_if(|line| line.mark != b' ') {
            put(
                &mut out,
                b"",
                &Line {
                    mark: b'+',
                    text: line.text.clone(),
                },
            );
        }
        match (old.next(), new.next()) {
            (Some(line), _) | (None, Some(line)) => put(&mut out, b"", line),
            (None, None) if out.len() == before => return out,
            (None, None) => {}
        }
    }
}

/// Returns a hunk in the context form.
pub(super) fn context(hunk: &Hunk, shift: isize, is_normal: bool) -> Vec<u8> {
    let range = |start: usize, count: usize| {
        let start = start.saturating_add_signed(shift);
        match count {
            0 => start.saturating_sub(1).to_string(),
            1 => start.to_string(),
            _ => format!("{start},{}", start + count - 1),
        }
    };
    let (stars, minus) = if is_normal {
        ("", " -----")
    } else {
        (" ****", " ----")
    };
    let mut out = b"***************".to_vec();
    out.extend_from_slice(&hunk.function);
    out.extend_from_slice(
        format!("\n*** {}{stars}\n", range(hunk.old_start, hunk.old.len())).as_bytes(),
    );
    let (old, new) = if is_normal {
        (hunk.old.clone(), hunk.new.clone())
    } else {
        paired(hunk)
    };
    for line in &old {
        put(&mut out, b" ", line);
    }
    out.extend_from_slice(
        format!("--- {}{minus}\n", range(hunk.new_start, hunk.new.len())).as_bytes(),
    );
    for line in &new {
        put(&mut out, b" ", line);
    }
    out
}

/// Returns both sides, with the mark of a change where lines stand in the place of others.
fn paired(hunk: &Hunk) -> (Vec<Line>, Vec<Line>) {
    let (mut old, mut new) = (hunk.old.clone(), hunk.new.clone());
    let run = |side: &[Line], at: usize| {
        side.iter()
            .skip(at)
            .take_while(|line| line.mark != b' ')
            .count()
    };
    let mark = |side: &mut [Line], at: usize, count: usize| {
        for line in side.iter_mut().skip(at).take(count) {
            line.mark = b'!';
        }
    };
    let (mut old_at, mut new_at) = (0, 0);
    while old_at < old.len() || new_at < new.len() {
        let (old_run, new_run) = (run(&old, old_at), run(&new, new_at));
        if old_run > 0 && new_run > 0 {
            mark(&mut old, old_at, old_run);
            mark(&mut new, new_at, new_run);
        }
        old_at += old_run + 1;
        new_at += new_run + 1;
    }
    (old, new)
}
