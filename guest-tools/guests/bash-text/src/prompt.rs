//! The backslash escapes of prompts: PS1, PS4, `${x@P}`.

use bstr::BString;

/// What a prompt asks of the shell.
pub trait Facts {
    /// `\u`.
    fn user(&self) -> BString;
    /// `\H`, and up to the first dot `\h`.
    fn host(&self) -> BString;
    /// `\w`, `\W`: PWD.
    fn working_directory(&self) -> BString;
    /// HOME, which `\w` and `\W` write as `~`.
    fn home(&self) -> Option<BString>;
    /// `\s`: the base name of `$0`.
    fn shell(&self) -> BString;
    /// `\j`: jobs.
    fn jobs(&self) -> usize;
    /// `\!`.
    fn history_number(&self) -> u64;
    /// `\#`.
    fn command_number(&self) -> u64;
    /// `\$` is `#` for the superuser.
    fn is_superuser(&self) -> bool;
    /// Seconds since 1970.
    fn now(&self) -> i64;
    /// TZ.
    fn time_zone(&self) -> Option<BString>;
    /// PROMPT_DIRTRIM, 0 when it is unset.
    fn directory_trim(&self) -> usize;
}

/// Decodes the escapes of `text`; parameter expansion afterwards is the caller's.
pub fn decode(text: &[u8], facts: &dyn Facts) -> BString {
    let mut output = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            output.push(*byte);
            continue;
        }
        let Some((letter, after)) = rest.split_first() else {
            output.push(b'\\');
            break;
        };
        rest = after;
        match letter {
            b'0'..=b'7' => {
                let digits = after
                    .iter()
                    .take(2)
                    .take_while(|byte| (b'0'..=b'7').contains(byte))
                    .count();
                let (more, left) = after.split_at_checked(digits).unwrap_or((after, &[]));
                let value = more.iter().fold(u32::from(letter - b'0'), |value, digit| {
                    value * 8 + u32::from(digit - b'0')
                });
                output.push(u8::try_from(value & 0xff).unwrap_or_default());
                rest = left;
            }
            b'D' if after.first() == Some(&b'{') => {
                let body = after.get(1..).unwrap_or_default();
                let end = memchr::memchr(b'}', body).unwrap_or(body.len());
                let (format, left) = body.split_at_checked(end).unwrap_or((body, &[]));
                time(
                    if format.is_empty() { b"%X" } else { format },
                    facts,
                    &mut output,
                );
                rest = left.get(1..).unwrap_or_default();
            }
            letter => escape(*letter, facts, &mut output),
        }
    }
    BString::from(output)
}

fn escape(letter: u8, facts: &dyn Facts, output: &mut Vec<u8>) {
    match letter {
        b'a' => output.push(7),
        b'e' => output.push(27),
        b'n' => output.push(b'\n'),
        b'r' => output.push(b'\r'),
        b'\\' => output.push(b'\\'),
        // Marks around text that does not print: only a line editor needs them.
        b'[' | b']' => {}
        b'd' => time(b"%a %b %d", facts, output),
        b't' => time(b"%H:%M:%S", facts, output),
        b'T' => time(b"%I:%M:%S", facts, output),
        b'@' => time(b"%I:%M %p", facts, output),
        b'A' => time(b"%H:%M", facts, output),
        b'u' => output.extend_from_slice(&facts.user()),
        b'H' => output.extend_from_slice(&facts.host()),
        b'h' => output.extend_from_slice(
            facts
                .host()
                .split(|byte| *byte == b'.')
                .next()
                .unwrap_or_default(),
        ),
        b's' => output.extend_from_slice(&facts.shell()),
        b'v' => output.extend_from_slice(b"5.2"),
        b'V' => output.extend_from_slice(b"5.2.15"),
        b'j' => output.extend_from_slice(facts.jobs().to_string().as_bytes()),
        b'l' => output.extend_from_slice(b"tty"),
        b'!' => output.extend_from_slice(facts.history_number().to_string().as_bytes()),
        b'#' => output.extend_from_slice(facts.command_number().to_string().as_bytes()),
        b'$' => output.push(if facts.is_superuser() { b'#' } else { b'$' }),
        b'w' => output.extend_from_slice(&trimmed(&with_tilde(facts), facts.directory_trim())),
        b'W' => {
            let directory = with_tilde(facts);
            let name = match directory.as_slice() {
                b"/" => b"/",
                path => path.rsplit(|byte| *byte == b'/').next().unwrap_or_default(),
            };
            output.extend_from_slice(name);
        }
        letter => output.extend_from_slice(&[b'\\', letter]),
    }
}

fn time(format: &[u8], facts: &dyn Facts, output: &mut Vec<u8>) {
    let zone = facts.time_zone();
    crate::time::write(
        format,
        facts.now(),
        zone.as_ref().map(|zone| zone.as_slice()),
        output,
    );
}

/// Returns the working directory with `~` for HOME.
fn with_tilde(facts: &dyn Facts) -> Vec<u8> {
    let directory = Vec::from(facts.working_directory());
    let Some(home) = facts
        .home()
        .filter(|home| !home.is_empty() && home.as_slice() != b"/")
    else {
        return directory;
    };
    match directory.strip_prefix(home.as_slice()) {
        Some(rest) if rest.is_empty() || rest.starts_with(b"/") => [b"~", rest].concat(),
        _ => directory,
    }
}

/// Keeps the last `count` names of a directory (PROMPT_DIRTRIM); 0 keeps all.
fn trimmed(directory: &[u8], count: usize) -> Vec<u8> {
    if count == 0 {
        return directory.to_vec();
    }
    let start: &[u8] = if directory.starts_with(b"~") {
        b"~"
    } else {
        b""
    };
    let body = directory.get(start.len()..).unwrap_or_default();
    let slashes: Vec<usize> = memchr::memchr_iter(b'/', body).collect();
    match slashes
        .len()
        .checked_sub(count)
        .and_then(|at| slashes.get(at))
    {
        Some(at) if *at > 0 => {
            let prefix: &[u8] = if start.is_empty() { b"..." } else { b"~/..." };
            [prefix, body.get(*at..).unwrap_or_default()].concat()
        }
        _ => directory.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(usize);

    impl Facts for Fixed {
        fn user(&self) -> BString {
            "ann".into()
        }
        fn host(&self) -> BString {
            "box.example".into()
        }
        fn working_directory(&self) -> BString {
            "/home/ann/a/b/c".into()
        }
        fn home(&self) -> Option<BString> {
            Some("/home/ann".into())
        }
        fn shell(&self) -> BString {
            "bash".into()
        }
        fn jobs(&self) -> usize {
            0
        }
        fn history_number(&self) -> u64 {
            7
        }
        fn command_number(&self) -> u64 {
            3
        }
        fn is_superuser(&self) -> bool {
            false
        }
        fn now(&self) -> i64 {
            0
        }
        fn time_zone(&self) -> Option<BString> {
            None
        }
        fn directory_trim(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn escapes() {
        for (text, expected) in [
            ("\\u@\\h:\\w\\$ ", "ann@box:~/a/b/c$ "),
            ("\\W \\H \\s-\\v", "c box.example bash-5.2"),
            ("\\[\\e[1m\\]\\101\\q", "\u{1b}[1mA\\q"),
            ("\\t \\d \\D{%Y}", "00:00:00 Thu Jan 01 1970"),
            ("\\! \\# \\j", "7 3 0"),
        ] {
            assert_eq!(decode(text.as_bytes(), &Fixed(0)), expected, "{text}");
        }
        assert_eq!(decode(b"\\w", &Fixed(2)), "~/.../b/c");
    }
}
