//! Tilde expansion: `~`, `~+`, `~-`, `~N`, `~user`.

use bstr::BString;

use crate::state::Shell;

impl Shell {
    /// Returns what `~prefix` stands for; `None` leaves it as written.
    pub fn tilde(&self, prefix: &[u8]) -> Option<BString> {
        match prefix {
            b"" => Some(
                self.get_string("HOME")
                    .unwrap_or_else(|| BString::from("/root")),
            ),
            b"+" => self.get_string("PWD"),
            b"-" => self.get_string("OLDPWD"),
            b"root" => Some(BString::from("/root")),
            _ => {
                let (digits, from_end) = match prefix.split_first() {
                    Some((b'+', rest)) => (rest, false),
                    Some((b'-', rest)) => (rest, true),
                    _ => (prefix, false),
                };
                let place = bash_text::arithmetic::parse_integer(digits)
                    .filter(|_| digits.first().is_some_and(u8::is_ascii_digit))
                    .and_then(|number| usize::try_from(number).ok());
                match place {
                    Some(place) => self.directory_at(place, from_end),
                    None => {
                        let user = self.get_string("USER")?;
                        (user.as_slice() == prefix).then(|| self.get_string("HOME"))?
                    }
                }
            }
        }
    }

    /// Returns entry `place` of the directory stack, counted from the top or from the end.
    pub fn directory_at(&self, place: usize, from_end: bool) -> Option<BString> {
        let length = self.directory_stack.len() + 1;
        let place = if from_end {
            length.checked_sub(place + 1)?
        } else {
            place
        };
        match place.checked_sub(1) {
            None => Some((*self.directory).clone()),
            Some(place) => self.directory_stack.get(place).cloned(),
        }
    }
}
