//! Patterns: those of `-P` and `-I`, and those of `.gitignore` files.

/// Returns whether a name fits one of the alternatives (`a|b`) of a pattern; one that ends in `/` fits folders only.
pub(super) fn fits(pattern: &str, name: &str, is_folder: bool, ignores_case: bool) -> bool {
    pattern.split('|').any(|part| {
        let (part, is_wrong) = match part.strip_suffix('/') {
            Some(part) => (part, !is_folder),
            None => (part, false),
        };
        if ignores_case {
            return !is_wrong
                && glob(
                    &letters(&part.to_lowercase()),
                    &letters(&name.to_lowercase()),
                );
        }
        !is_wrong && glob(&letters(part), &letters(name))
    })
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// Matches `*` and `?` within names, `**` across them, and `[...]`.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return text.is_empty();
    };
    match first {
        '*' if rest.first() == Some(&'*') => {
            let rest = rest.get(1..).unwrap_or(&[]);
            // `**/` also stands for no folder at all.
            if let Some(('/', behind)) = rest.split_first()
                && glob(behind, text)
            {
                return true;
            }
            (0..=text.len()).any(|at| glob(rest, text.get(at..).unwrap_or(&[])))
        }
        '*' => {
            let end = text
                .iter()
                .position(|letter| *letter == '/')
                .unwrap_or(text.len());
            (0..=end).any(|at| glob(rest, text.get(at..).unwrap_or(&[])))
        }
        '?' => match text.split_first() {
            Some((letter, behind)) => *letter != '/' && glob(rest, behind),
            None => false,
        },
        '[' => match (set(rest), text.split_first()) {
            (Some((members, is_negated, behind)), Some((letter, text))) => {
                let is_in = members
                    .iter()
                    .any(|(low, high)| (low..=high).contains(&letter));
                is_in != is_negated && glob(behind, text)
            }
            (None, Some(('[', text))) => glob(rest, text),
            _ => false,
        },
        '\\' => match (rest.split_first(), text.split_first()) {
            (Some((wanted, rest)), Some((letter, text))) => wanted == letter && glob(rest, text),
            _ => false,
        },
        _ => match text.split_first() {
            Some((letter, text)) => first == letter && glob(rest, text),
            None => false,
        },
    }
}

type Set<'a> = (Vec<(char, char)>, bool, &'a [char]);

fn set(pattern: &[char]) -> Option<Set<'_>> {
    let (is_negated, mut rest) = match pattern.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        _ => (false, pattern),
    };
    let mut members = Vec::new();
    loop {
        match rest {
            [']', behind @ ..] if !members.is_empty() => {
                return Some((members, is_negated, behind));
            }
            [low, '-', high, behind @ ..] if *high != ']' => {
                members.push((*low, *high));
                rest = behind;
            }
            [letter, behind @ ..] => {
                members.push((*letter, *letter));
                rest = behind;
            }
            [] => return None,
        }
    }
}

/// The rules of one `.gitignore`.
#[derive(Clone, Debug)]
pub(super) struct Ignore {
    /// The folder they are for, without a slash at the end.
    folder: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Vec<char>,
    is_negated: bool,
    only_folders: bool,
    /// Counted from the folder, not from anywhere below it.
    is_anchored: bool,
}

impl Ignore {
    pub(super) fn read(folder: &str, text: &str) -> Self {
        let rules = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| {
                let (is_negated, line) = match line.strip_prefix('!') {
                    Some(line) => (true, line),
                    None => (false, line),
                };
                let (only_folders, line) = match line.strip_suffix('/') {
                    Some(line) => (true, line),
                    None => (false, line),
                };
                let is_anchored = line.contains('/');
                Rule {
                    pattern: letters(line.strip_prefix('/').unwrap_or(line)),
                    is_negated,
                    only_folders,
                    is_anchored,
                }
            })
            .collect();
        Self {
            folder: folder.to_owned(),
            rules,
        }
    }

    /// Returns whether a path is ignored; none if no rule says.
    pub(super) fn verdict(&self, path: &str, is_folder: bool) -> Option<bool> {
        let below = path.strip_prefix(&self.folder)?.trim_start_matches('/');
        let name = letters(below.rsplit('/').next().unwrap_or(below));
        let below = letters(below);
        self.rules
            .iter()
            .rev()
            .find(|rule| {
                let text = if rule.is_anchored { &below } else { &name };
                (is_folder || !rule.only_folders) && glob(&rule.pattern, text)
            })
            .map(|rule| !rule.is_negated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, is_folder, expected) in [
            ("*.rs", "a.rs", false, true),
            ("*.rs", "a.rst", false, false),
            ("a|b*", "bc", false, true),
            ("[a-c]?", "bx", false, true),
            ("[!a-c]", "b", false, false),
            ("target/", "target", false, false),
            ("target/", "target", true, true),
            ("[", "[", false, true),
        ] {
            assert_eq!(
                fits(pattern, name, is_folder, false),
                expected,
                "{pattern} {name}"
            );
        }
        let rules = Ignore::read("p", "*.o\n!keep.o\n/build\ndocs/*.txt\nout/\n");
        for (path, is_folder, expected) in [
            ("p/x/a.o", false, Some(true)),
            ("p/keep.o", false, Some(false)),
            ("p/build", true, Some(true)),
            ("p/x/build", true, None),
            ("p/docs/a.txt", false, Some(true)),
            ("p/x/out", true, Some(true)),
            ("p/out", false, None),
        ] {
            assert_eq!(rules.verdict(path, is_folder), expected, "{path}");
        }
    }
}
