//! What an error in an expansion means: the command is abandoned, or the shell ends.

use std::fmt::Display;

use crate::state::{Refusal, SetOption, Shell, Stop};

impl Shell {
    /// Says an error that abandons the command: a bad substitution, a read-only variable. Under `set -e` it ends
    /// the shell, even inside a condition.
    pub fn abandon(&mut self, message: impl Display) -> Stop {
        self.report(message);
        self.status = 1;
        if self.options.has(SetOption::ErrExit) {
            return Stop::Exit(1);
        }
        Stop::Discard(1)
    }

    /// Says an error that ends a shell nobody sits at: `set -u`, `${x?}`.
    pub fn fail(&mut self, message: impl Display) -> Stop {
        self.report(message);
        if self.is_interactive && !self.is_subshell {
            self.status = 1;
            return Stop::Discard(1);
        }
        let status = if self.is_command_string && !self.is_subshell {
            127
        } else {
            1
        };
        self.status = status;
        Stop::Fatal(status)
    }

    /// Says why a variable was refused.
    pub fn refused(&mut self, refusal: &Refusal) -> Stop {
        match refusal {
            Refusal::Unbound(_) => self.fail(refusal),
            Refusal::Said => Stop::Discard(1),
            Refusal::Arithmetic(_) => {
                self.report(refusal);
                self.status = 1;
                Stop::Discard(1)
            }
            _ => self.abandon(refusal),
        }
    }
}
