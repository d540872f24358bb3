//! Tilde expansion: `~`, `~+`, `~-`, `~N`, `~user`.

use bstr::BString;

use crate::state::Shell;
use crate::sys;

/// Returns the home of an account by its name, or of the user's own.
fn home(name: Option<&[u8]>) -> Option<BString> {
    let accounts = std::fs::read("/etc/passwd").ok()?;
    let user = sys::user().to_string();
    accounts.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        let (account, number) = (fields.next()?, fields.nth(1)?);
        let is_meant = name.map_or(number == user.as_bytes(), |name| account == name);
        is_meant.then(|| fields.nth(2).map(BString::from))?
    })
}

impl Shell {
    /// Returns what `~prefix` stands for; `None` leaves it as written.
    pub fn tilde(&self, prefix: &[u8]) -> Option<BString> {
        match prefix {
            b"" => Some(
                self.get_string("HOME")
                    .or_else(|| home(None))
                    .unwrap_or_else(|| BString::from("/")),
            ),
            b"+" => self.get_string("PWD"),
            b"-" => self.get_string("OLDPWD"),
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
                    None => home(Some(prefix)),
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
