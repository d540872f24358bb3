//! File modes: the letters of `ls -l`, and the octal and symbolic changes that chmod, mkdir and install take.

/// The permission bits with set-id and sticky.
pub(crate) const ALL: u32 = 0o7777;

/// A change of modes, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A number. `keeps_set_id`: fewer than five digits leave a directory's set-id bits as they are.
    Octal { mode: u32, keeps_set_id: bool },
    /// Clauses such as `u+x`, in order.
    Symbolic(Vec<Clause>),
}

/// One `[ugoa]*[+-=][rwxXst|ugo]*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    /// The bits of the classes that are named; none if none is.
    who: u32,
    operator: char,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// Bits for all classes at once, and whether `X` is among them.
    Bits { bits: u32, execute_if_any: bool },
    /// As the class has it now: 6, 3 or 0 to shift by.
    Copy(u32),
    /// A number after an operator: exactly these bits.
    Number(u32),
}

impl Change {
    /// Parses what the command line says; none if it is no mode.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
            let mode = u32::from_str_radix(text, 8)
                .ok()
                .filter(|mode| *mode <= ALL)?;
            return Some(Change::Octal {
                mode,
                keeps_set_id: text.len() < 5,
            });
        }
        let mut clauses = Vec::new();
        for part in text.split(',') {
            parse_part(part, &mut clauses)?;
        }
        Some(Change::Symbolic(clauses))
    }

    /// Returns the mode that a file with mode `old` gets.
    pub(crate) fn apply(&self, old: u32, is_directory: bool, umask: u32) -> u32 {
        match self {
            Change::Octal { mode, keeps_set_id } => {
                let kept = if is_directory && *keeps_set_id {
                    old & 0o6000
                } else {
                    0
                };
                mode | kept
            }
            Change::Symbolic(clauses) => clauses.iter().fold(old & ALL, |mode, clause| {
                clause.apply(mode, is_directory, umask)
            }),
        }
    }

    /// Returns the bits that the umask keeps from a change that names no class, so that chmod can say so.
    pub(crate) fn without_umask(&self, old: u32, is_directory: bool) -> u32 {
        self.apply(old, is_directory, 0)
    }
}

fn parse_part(part: &str, clauses: &mut Vec<Clause>) -> Option<()> {
    let at = part.find(['+', '-', '='])?;
    let (classes, mut rest) = part.split_at_checked(at)?;
    let mut who = 0;
    for class in classes.chars() {
        who |= match class {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => ALL,
            _ => return None,
        };
    }
    while let Some(operator) = rest.chars().next() {
        let after = rest.get(1..)?;
        let end = after.find(['+', '-', '=']).unwrap_or(after.len());
        let (permissions, next) = after.split_at_checked(end)?;
        clauses.push(Clause {
            who,
            operator,
            what: What::parse(permissions, who)?,
        });
        rest = next;
    }
    Some(())
}

impl What {
    fn parse(text: &str, who: u32) -> Option<Self> {
        match text {
            "u" => return Some(What::Copy(6)),
            "g" => return Some(What::Copy(3)),
            "o" => return Some(What::Copy(0)),
            _ => {}
        }
        if text.starts_with(|first: char| first.is_digit(8)) {
            let number = u32::from_str_radix(text, 8)
                .ok()
                .filter(|mode| *mode <= ALL && who == 0)?;
            return Some(What::Number(number));
        }
        let mut bits = 0;
        let mut execute_if_any = false;
        for letter in text.chars() {
            match letter {
                'r' => bits |= 0o444,
                'w' => bits |= 0o222,
                'x' => bits |= 0o111,
                'X' => execute_if_any = true,
                's' => bits |= 0o6000,
                't' => bits |= 0o1000,
                _ => return None,
            }
        }
        Some(What::Bits {
            bits,
            execute_if_any,
        })
    }
}

impl Clause {
    fn apply(&self, mode: u32, is_directory: bool, umask: u32) -> u32 {
        let (bits, exact) = match self.what {
            What::Bits {
                bits,
                execute_if_any,
            } => {
                let execute = execute_if_any && (is_directory || mode & 0o111 != 0);
                (if execute { bits | 0o111 } else { bits }, false)
            }
            What::Copy(shift) => (((mode >> shift) & 7) * 0o111, false),
            What::Number(number) => (number, true),
        };
        let reach = if exact {
            ALL
        } else if self.who == 0 {
            ALL & !umask
        } else {
            self.who
        };
        let bits = bits & reach;
        match self.operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => {
                // `=` without a class clears all of them, and a directory's set-id bits stay unless they are named.
                let cleared = if self.who == 0 { ALL } else { self.who };
                let kept = if is_directory && !exact {
                    mode & 0o6000 & !bits
                } else {
                    0
                };
                let kept = if self.who == 0 || self.who & 0o6000 != 0 {
                    kept
                } else {
                    0
                };
                (mode & !cleared) | bits | kept
            }
        }
    }
}

/// Returns the nine letters of the permissions, with set-id and sticky: `rwxr-sr-t`.
pub(crate) fn letters(mode: u32) -> String {
    let triple = |shift: u32, special: u32, set: char| {
        let bits = mode >> shift;
        let execute = match (bits & 1 != 0, mode & special != 0) {
            (true, true) => set,
            (false, true) => set.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        };
        let read = if bits & 4 != 0 { 'r' } else { '-' };
        let write = if bits & 2 != 0 { 'w' } else { '-' };
        [read, write, execute]
    };
    [
        triple(6, 0o4000, 's'),
        triple(3, 0o2000, 's'),
        triple(0, 0o1000, 't'),
    ]
    .iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn changes_modes_as_chmod() {
        let cases = [
            ("644", 0o755, false, 0o644),
            ("755", 0o2700, true, 0o2755),
            ("00755", 0o2700, true, 0o755),
            ("+x", 0o644, false, 0o755),
            ("u+x,go-r", 0o644, false, 0o700),
            ("a=r", 0o755, false, 0o444),
            ("g=u", 0o640, false, 0o660),
            ("o=g-r", 0o640, false, 0o640),
            ("u+rwX,go-rwx", 0o644, false, 0o600),
            ("u+rwX,go-rwx", 0o644, true, 0o700),
            ("=rw", 0o755, false, 0o644),
            ("+w", 0o444, false, 0o644),
            ("u+s", 0o755, false, 0o4755),
            ("+t", 0o755, true, 0o1755),
            ("u=rwx,go=", 0o644, true, 0o700),
            ("-111", 0o755, false, 0o644),
            ("u+x+w", 0o400, false, 0o700),
        ];
        for (text, old, is_directory, expected) in cases {
            let change = Change::parse(text).unwrap();
            let new = change.apply(old, is_directory, 0o022);
            assert_eq!(
                new, expected,
                "{text} of {old:o} gives {new:o}, not {expected:o}"
            );
        }
        for wrong in ["888", "u+q", "", "x", "12345", "u", "+8", "u+777"] {
            assert_eq!(Change::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn shows_modes_as_ls() {
        let cases = [
            (0o644, "rw-r--r--"),
            (0o6755, "rwsr-sr-x"),
            (0o7000, "--S--S--T"),
            (0o1777, "rwxrwxrwt"),
        ];
        for (mode, expected) in cases {
            assert_eq!(letters(mode), expected);
        }
    }
}
