//! Signals: which there are, what they do by default, and what has come in for a process.

use std::collections::VecDeque;

use super::waiters::Waiters;

pub(crate) const ABRT: u8 = 6;
pub(crate) const KILL: u8 = 9;
pub(crate) const SEGV: u8 = 11;
pub(crate) const PIPE: u8 = 13;
pub(crate) const XCPU: u8 = 24;

/// The highest signal number, as on Linux.
pub(crate) const SIGNAL_MAX: u8 = 64;

/// Signals that one process has not looked at yet; like a real kernel's queue it has an end.
const PENDING_MAX: usize = 1_024;

pub(crate) const CHLD: u8 = 17;
const CONT: u8 = 18;
const STOP: u8 = 19;
const TSTP: u8 = 20;
const TTIN: u8 = 21;
const TTOU: u8 = 22;
const URG: u8 = 23;
const WINCH: u8 = 28;

/// What a signal does to the process it is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    /// The process is told and decides.
    Queued,
    Ends,
    Stops,
    Continues,
}

/// What one process does with signals, and those it has not looked at.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    handled: u64,
    pub(crate) ignored: u64,
    pending: VecDeque<u8>,
    pub(crate) waiters: Waiters,
}

impl Signals {
    pub(crate) fn new(ignored: u64) -> Self {
        Self {
            ignored: choosable(ignored),
            ..Self::default()
        }
    }

    pub(crate) fn choose(&mut self, handled: u64, ignored: u64) {
        self.handled = choosable(handled);
        self.ignored = choosable(ignored) & !self.handled;
    }

    /// Returns what `signal` does, and queues it if the process is to be told.
    pub(crate) fn receive(&mut self, signal: u8) -> Effect {
        let bit = bit(signal);
        if self.handled & bit != 0 {
            if self.pending.len() < PENDING_MAX {
                self.pending.push_back(signal);
            }
            self.waiters.wake();
            return Effect::Queued;
        }
        match signal {
            KILL => Effect::Ends,
            STOP => Effect::Stops,
            CONT => Effect::Continues,
            _ if self.ignored & bit != 0 => Effect::Nothing,
            CHLD | URG | WINCH => Effect::Nothing,
            TSTP | TTIN | TTOU => Effect::Stops,
            _ => Effect::Ends,
        }
    }

    /// Returns whether a write to a broken pipe ends the process.
    pub(crate) fn dies_of_pipe(&self) -> bool {
        (self.handled | self.ignored) & bit(PIPE) == 0
    }

    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(crate) fn take_pending(&mut self) -> Vec<u8> {
        self.pending.drain(..).collect()
    }
}

fn bit(signal: u8) -> u64 {
    1u64.checked_shl(u32::from(signal)).unwrap_or(0)
}

fn choosable(set: u64) -> u64 {
    set & !(bit(KILL) | bit(STOP) | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kill_and_stop_cannot_be_chosen() {
        let mut signals = Signals::default();
        signals.choose(u64::MAX, 0);
        assert_eq!(signals.receive(KILL), Effect::Ends);
        assert_eq!(signals.receive(STOP), Effect::Stops);
        assert_eq!(signals.receive(15), Effect::Queued);
        assert_eq!(signals.take_pending(), [15]);
        signals.choose(0, u64::MAX);
        assert_eq!(signals.receive(KILL), Effect::Ends);
        assert_eq!(signals.receive(2), Effect::Nothing);
        assert!(!signals.dies_of_pipe());
        assert_eq!(Signals::default().receive(CHLD), Effect::Nothing);
        assert_eq!(Signals::default().receive(15), Effect::Ends);
    }
}
