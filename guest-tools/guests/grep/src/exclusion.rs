//! Which files the options `--include`, `--exclude` and `--exclude-dir` leave out.

/// The globs, in the order given.
#[derive(Debug, Default)]
pub(crate) struct Exclusion {
    /// A glob and whether it includes.
    files: Vec<(Vec<u8>, bool)>,
    directories: Vec<Vec<u8>>,
}

impl Exclusion {
    pub(crate) fn add(&mut self, glob: &str, includes: bool) {
        self.files.push((glob.as_bytes().to_vec(), includes));
    }

    pub(crate) fn add_directory(&mut self, glob: &str) {
        let trimmed = glob.trim_end_matches('/');
        let glob = if trimmed.is_empty() { glob } else { trimmed };
        self.directories.push(glob.as_bytes().to_vec());
    }

    /// Returns whether a file is left out. A named file's path may match from any of its parts on; of one found in a
    /// directory only the name counts.
    pub(crate) fn leaves_out(&self, path: &str, is_named: bool) -> bool {
        let last = self
            .files
            .iter()
            .rev()
            .find(|(glob, _)| is_match(glob, path, is_named));
        match (last, self.files.first()) {
            (Some((_, includes)), _) => !includes,
            (None, Some((_, includes))) => *includes,
            (None, None) => false,
        }
    }

    pub(crate) fn leaves_out_directory(&self, path: &str, is_named: bool) -> bool {
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() { path } else { trimmed };
        self.directories
            .iter()
            .any(|glob| is_match(glob, path, is_named))
    }
}

fn is_match(glob: &[u8], path: &str, is_named: bool) -> bool {
    if !is_named {
        let name = path.rsplit('/').next().unwrap_or(path);
        return matches(glob, name.as_bytes());
    }
    let path = path.as_bytes();
    let starts = path
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(place, _)| place + 1);
    std::iter::once(0)
        .chain(starts)
        .any(|start| matches(glob, path.get(start..).unwrap_or_default()))
}

/// Returns whether a glob matches a name as `fnmatch` without flags does.
pub(crate) fn matches(glob: &[u8], name: &[u8]) -> bool {
    // Where to go on if what follows the last `*` does not fit: behind it, one byte later in the name.
    let mut retry: Option<(&[u8], &[u8])> = None;
    let (mut glob, mut name) = (glob, name);
    loop {
        let step = match glob.split_first() {
            None if name.is_empty() => return true,
            None => None,
            Some((b'*', rest)) => {
                retry = Some((rest, name));
                glob = rest;
                continue;
            }
            Some(_) => one(glob, name),
        };
        match (step, retry) {
            (Some(next), _) => (glob, name) = next,
            (None, Some((after, from))) => match from.split_first() {
                Some((_, from)) => {
                    retry = Some((after, from));
                    (glob, name) = (after, from);
                }
                None => return false,
            },
            (None, None) => return false,
        }
    }
}

/// Matches the first element of a glob, no `*`, with the first character of a name. Returns what is left of both.
fn one<'a>(glob: &'a [u8], name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let length = match name.first()? {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF7 => 4,
        _ => 1,
    };
    let (character, name_rest) = name
        .split_at_checked(length)
        .unwrap_or_else(|| name.split_at(1));
    let (first, rest) = glob.split_first()?;
    match first {
        b'?' => Some((rest, name_rest)),
        b'[' => match set(rest, character) {
            Some((true, rest)) => Some((rest, name_rest)),
            Some((false, _)) => None,
            None => (character == b"[").then_some((rest, name_rest)),
        },
        b'\\' if !rest.is_empty() => rest
            .strip_prefix(character)
            .map(|glob_rest| (glob_rest, name_rest)),
        _ => glob
            .strip_prefix(character)
            .map(|glob_rest| (glob_rest, name_rest)),
    }
}

/// Reads a set from behind its `[`. Returns whether it holds a character and what follows it, or none if the set has
/// no end.
fn set<'a>(glob: &'a [u8], character: &[u8]) -> Option<(bool, &'a [u8])> {
    let (negated, mut rest) = match glob.split_first()? {
        (b'!' | b'^', rest) => (true, rest),
        _ => (false, glob),
    };
    let mut holds = false;
    let mut first = true;
    loop {
        let (mut byte, mut after) = rest.split_first()?;
        if *byte == b']' && !first {
            return Some((holds != negated, after));
        }
        first = false;
        if *byte == b'['
            && let Some(named) = after.strip_prefix(b":")
            && let Some(end) = named.windows(2).position(|pair| pair == b":]")
        {
            let (name, behind) = named.split_at_checked(end)?;
            holds |= character
                .first()
                .is_some_and(|byte| character.len() == 1 && is_in_class(name, *byte));
            rest = behind.get(2..)?;
            continue;
        }
        if *byte == b'\\' {
            (byte, after) = after.split_first()?;
        }
        if let [b'-', end, behind @ ..] = after
            && *end != b']'
        {
            holds |= matches!(character, [single] if (byte..=end).contains(&single));
            rest = behind;
        } else {
            holds |= character.first() == Some(byte);
            rest = after;
        }
    }
}

fn is_in_class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0B,
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"punct" => byte.is_ascii_punctuation(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}
