//! Who owns what: everything in a hand belongs to its one user, so owners are a fact, not a question.
//!
//! The user is the one that `$USER` names. Root has the ids 0, anybody else 1000, as the first user of a machine.

use std::env;

/// The one user and group.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) id: u32,
}

impl Owner {
    /// Returns the hand's user.
    pub(crate) fn of_hand() -> Self {
        let name = env::var("USER")
            .ok()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "root".to_owned());
        let id = if name == "root" { 0 } else { 1000 };
        Owner { name, id }
    }

    /// Returns whether a word of the command line means this user or group.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        word == self.name || word.strip_prefix('+').unwrap_or(word).parse() == Ok(self.id)
    }
}
