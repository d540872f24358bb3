//! Traps: what runs at a signal, at the end of the shell, and around commands.

mod run;

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::BString;

/// Signals that may come from outside and after which the EXIT trap still runs.
const DEADLY: &[u8] = &[
    process::signal::HUP,
    process::signal::INT,
    process::signal::USR1,
    process::signal::USR2,
    process::signal::ALRM,
    process::signal::TERM,
];

/// What a trap is set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The end of the shell.
    Exit,
    /// A signal, by its number.
    Signal(u8),
    /// Before each simple command.
    Debug,
    /// After a command that failed.
    Error,
    /// After a function or a sourced file.
    Return,
}

impl Condition {
    /// Reads the name that `trap` takes: a signal's name or number, `EXIT`, `DEBUG`, `ERR`, `RETURN`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let plain = upper.strip_prefix(b"SIG").unwrap_or(&upper);
        match plain {
            b"DEBUG" => Some(Self::Debug),
            b"ERR" => Some(Self::Error),
            b"RETURN" => Some(Self::Return),
            _ => match bash_text::signal::number(text)? {
                0 => Some(Self::Exit),
                number => Some(Self::Signal(number)),
            },
        }
    }

    /// Returns its name as `trap -p` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exit => "EXIT",
            Self::Signal(number) => bash_text::signal::name(number).unwrap_or("SIGUNKNOWN"),
            Self::Debug => "DEBUG",
            Self::Error => "ERR",
            Self::Return => "RETURN",
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Table {
    texts: BTreeMap<Condition, Rc<BString>>,
    /// What the parent had, which `trap -p` in a subshell still prints until the subshell sets one.
    inherited: BTreeMap<Condition, Rc<BString>>,
}

/// The traps of a shell. An empty text means that the signal is ignored.
#[derive(Debug, Clone, Default)]
pub struct Traps {
    table: Rc<Table>,
    /// Which traps are running now: they do not start again inside themselves.
    running: Vec<Condition>,
    /// Signals that the shell was started to ignore; they stay ignored.
    ignored_at_start: u64,
    /// Signals that a background list ignores without job control, unless it traps them.
    ignored_in_background: u64,
    /// Signals that came in and whose trap has not run yet.
    pending: Vec<u8>,
}

fn bit(signal: u8) -> u64 {
    1_u64.checked_shl(u32::from(signal)).unwrap_or(0)
}

impl Traps {
    /// Returns the traps of a new shell.
    pub fn new(ignored_at_start: u64) -> Self {
        Self {
            ignored_at_start,
            ..Self::default()
        }
    }

    /// Returns the text set for `condition`; empty means ignored.
    pub fn get(&self, condition: Condition) -> Option<&Rc<BString>> {
        self.table.texts.get(&condition)
    }

    /// Returns whether `condition` has a trap that runs something.
    pub fn is_set(&self, condition: Condition) -> bool {
        self.get(condition).is_some_and(|text| !text.is_empty())
    }

    /// Returns whether anything at all is trapped.
    pub fn is_empty(&self) -> bool {
        self.table.texts.is_empty()
    }

    /// Sets the text for `condition`; `None` puts the default back. A signal ignored from the start stays so.
    pub fn set(&mut self, condition: Condition, text: Option<BString>) {
        if let Condition::Signal(signal) = condition
            && self.ignored_at_start & bit(signal) != 0
        {
            return;
        }
        let table = Rc::make_mut(&mut self.table);
        table.inherited.clear();
        match text {
            Some(text) => table.texts.insert(condition, Rc::new(text)),
            None => table.texts.remove(&condition),
        };
    }

    /// Lists what `trap -p` prints, in bash's order: EXIT, the signals, then DEBUG, ERR, RETURN.
    pub fn list(&self) -> Vec<(Condition, Rc<BString>)> {
        let shown = if self.table.inherited.is_empty() {
            &self.table.texts
        } else {
            &self.table.inherited
        };
        shown
            .iter()
            .map(|(condition, text)| (*condition, Rc::clone(text)))
            .collect()
    }

    /// Returns which signals run a trap and which are ignored.
    pub fn dispositions(&self) -> (u64, u64) {
        let mut trapped = 0;
        let mut ignored = self.ignored_at_start | self.ignored_in_background;
        for (condition, text) in &self.table.texts {
            if let Condition::Signal(signal) = condition {
                if text.is_empty() {
                    ignored |= bit(*signal);
                } else {
                    trapped |= bit(*signal);
                }
            }
        }
        (trapped, ignored & !trapped)
    }

    /// Lets SIGINT and SIGQUIT pass by, as a background list does without job control.
    pub fn ignore_interrupts(&mut self) {
        self.ignored_in_background = bit(process::signal::INT) | bit(process::signal::QUIT);
    }

    /// Returns which signals the shell must learn of: those with a trap, and those that would end it before its
    /// EXIT trap ran.
    pub fn caught(&self) -> u64 {
        let (trapped, ignored) = self.dispositions();
        if !self.is_set(Condition::Exit) {
            return trapped;
        }
        let deadly = DEADLY.iter().fold(0, |all, signal| all | bit(*signal));
        trapped | (deadly & !ignored)
    }

    /// Returns whether `signal` ends a shell that does not handle it.
    pub fn is_deadly(signal: u8) -> bool {
        use process::signal::{CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH};
        signal != 0 && ![CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH].contains(&signal)
    }

    /// Returns whether `signal` does nothing to a process that does not handle it.
    pub fn is_spared(signal: u8) -> bool {
        use process::signal::{CHLD, CONT, URG, WINCH};
        [CHLD, CONT, URG, WINCH].contains(&signal)
    }

    /// Returns whether the shell traps or ignores `signal`.
    pub fn handles(&self, signal: u8) -> bool {
        let (trapped, ignored) = self.dispositions();
        (trapped | ignored) & bit(signal) != 0
    }

    /// Returns whether the EXIT trap is what runs innermost.
    pub fn is_running_exit(&self) -> bool {
        self.running.last() == Some(&Condition::Exit)
    }

    /// Returns whether a trap's text is being run.
    pub fn is_any_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Returns whether the text of the condition's trap is being run.
    pub fn is_running(&self, condition: Condition) -> bool {
        self.running.contains(&condition)
    }

    /// A subshell keeps what is ignored, what functrace and errtrace hand on, and, for printing only, what is set.
    pub fn reset_for_subshell(&mut self, keeps_debug: bool, keeps_error: bool) {
        self.pending.clear();
        self.running.clear();
        if self.table.texts.is_empty() {
            return;
        }
        let table = Rc::make_mut(&mut self.table);
        table.inherited = table.texts.clone();
        table.texts.retain(|condition, text| match condition {
            Condition::Signal(_) => text.is_empty(),
            Condition::Debug | Condition::Return => keeps_debug,
            Condition::Error => keeps_error,
            Condition::Exit => false,
        });
    }

    /// Forgets what the parent had: a process substitution does not print it.
    pub fn forget_inherited(&mut self) {
        if !self.table.inherited.is_empty() {
            Rc::make_mut(&mut self.table).inherited.clear();
        }
    }

    /// Drops a trap without touching what is printed: DEBUG, ERR and RETURN where they are not inherited.
    pub fn forget(&mut self, condition: Condition) {
        if self.table.texts.contains_key(&condition) {
            Rc::make_mut(&mut self.table).texts.remove(&condition);
        }
    }

    /// Notes a signal that came in.
    pub fn push_pending(&mut self, signal: u8) {
        self.pending.push(signal);
    }

    /// Takes the first signal whose trap is to run.
    pub fn take_pending(&mut self) -> Option<u8> {
        if self.pending.is_empty() {
            None
        } else {
            Some(self.pending.remove(0))
        }
    }

    /// Returns whether a trap waits to run.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}
