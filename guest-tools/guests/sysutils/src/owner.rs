//! Who owns what: everything in a hand belongs to its one user, so owners are a fact, not a question.

/// The one user and group.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) id: u32,
}

impl Owner {
    /// Returns the hand's user.
    #[cfg(target_family = "wasm")]
    pub(crate) fn of_hand() -> Self {
        Owner {
            name: process::USER_NAME.to_owned(),
            id: process::USER,
        }
    }

    /// Returns the user that runs this, whom `$USER` names: natively there are no hands, only machines that try
    /// the programs out.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn of_hand() -> Self {
        match std::env::var("USER") {
            Ok(name) if name == "root" => Owner { name, id: 0 },
            _ => Owner {
                name: process::USER_NAME.to_owned(),
                id: process::USER,
            },
        }
    }

    /// Returns an account that every hand has by its name or number.
    pub(crate) fn known(word: &str) -> Option<Self> {
        const ACCOUNTS: &[(&str, u32)] = &[("root", 0), ("nobody", 65_534)];
        let own = Self::of_hand();
        if own.is_called(word) {
            return Some(own);
        }
        ACCOUNTS
            .iter()
            .map(|(name, id)| Self {
                name: (*name).to_owned(),
                id: *id,
            })
            .find(|account| account.is_called(word))
    }

    /// Returns the name of its group.
    pub(crate) fn group(&self) -> &str {
        if self.id == 65_534 {
            "nogroup"
        } else {
            &self.name
        }
    }

    /// Returns whether a word of the command line means this user or group.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        word == self.name || word.strip_prefix('+').unwrap_or(word).parse() == Ok(self.id)
    }
}
