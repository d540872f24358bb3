//! Signals that the process handles or ignores.
//!
//! A signal that was ever chosen gets a handler for good. The handler marks it as come in, wakes the wait, and does
//! what the kernel would have done while the signal is not chosen. In children it is the default again; those they
//! are to ignore are set when they start.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::{flag, low_level};

use crate::signal;

struct Watch {
    /// Whether the kernel's own action is to be done.
    by_default: Arc<AtomicBool>,
    came: Arc<AtomicBool>,
}

struct State {
    watches: [OnceLock<Option<Watch>>; 32],
    reader: UnixStream,
    writer: UnixStream,
}

static STATE: OnceLock<Option<State>> = OnceLock::new();
static HANDLED: AtomicU64 = AtomicU64::new(0);
static IGNORED: AtomicU64 = AtomicU64::new(0);

fn state() -> Option<&'static State> {
    let make = || {
        let (reader, writer) = UnixStream::pair().ok()?;
        reader.set_nonblocking(true).ok()?;
        writer.set_nonblocking(true).ok()?;
        Some(State {
            watches: [const { OnceLock::new() }; 32],
            reader,
            writer,
        })
    };
    STATE.get_or_init(make).as_ref()
}

fn watch(number: u8) -> Option<&'static Watch> {
    state()?.watches.get(usize::from(number))?.get()?.as_ref()
}

/// Takes a signal over from the kernel; it acts by default at first.
pub(super) fn choose(number: u8) {
    let Some(state) = state() else { return };
    let start = || {
        let forbidden = [
            signal::KILL,
            signal::STOP,
            signal::ILL,
            signal::FPE,
            signal::SEGV,
        ];
        if forbidden.contains(&number) {
            return None;
        }
        let watch = Watch {
            by_default: Arc::new(AtomicBool::new(true)),
            came: Arc::default(),
        };
        let signal = i32::from(number);
        flag::register(signal, Arc::clone(&watch.came)).ok()?;
        low_level::pipe::register(signal, state.writer.try_clone().ok()?).ok()?;
        // CHLD does nothing by default, and there is no need to try.
        if number != signal::CHLD {
            flag::register_conditional_default(signal, Arc::clone(&watch.by_default)).ok()?;
        }
        Some(watch)
    };
    if let Some(watch) = state.watches.get(usize::from(number)) {
        watch.get_or_init(start);
    }
}

pub(crate) fn set_signals(handled: u64, ignored: u64) {
    HANDLED.store(handled, Ordering::SeqCst);
    IGNORED.store(ignored, Ordering::SeqCst);
    for number in 1..32_u8 {
        let is_chosen = ((handled | ignored) >> number) & 1 == 1;
        if is_chosen {
            choose(number);
        }
        if let Some(watch) = watch(number) {
            watch.by_default.store(!is_chosen, Ordering::SeqCst);
        }
    }
}

/// Returns the handled signals for which `look` says so.
fn handled_where(look: impl Fn(&Watch) -> bool) -> Vec<u8> {
    let handled = HANDLED.load(Ordering::SeqCst);
    (1..32_u8)
        .filter(|number| watch(*number).is_some_and(&look) && (handled >> number) & 1 == 1)
        .collect()
}

pub(crate) fn pending() -> Vec<u8> {
    handled_where(|watch| watch.came.swap(false, Ordering::SeqCst))
}

/// Returns whether [`pending`] would return any.
pub(super) fn has_pending() -> bool {
    !handled_where(|watch| watch.came.load(Ordering::SeqCst)).is_empty()
}

/// Does what a signal does by default, unless it is handled or ignored, or was never taken over.
pub(super) fn act(number: u8) {
    let chosen = HANDLED.load(Ordering::SeqCst) | IGNORED.load(Ordering::SeqCst);
    if watch(number).is_some() && (chosen >> number) & 1 == 0 {
        let _ = low_level::emulate_default_handler(i32::from(number));
    }
}

/// Returns what becomes readable when a signal comes in.
pub(super) fn wake() -> Option<BorrowedFd<'static>> {
    Some(state()?.reader.as_fd())
}

/// Empties what [`wake`] returns.
pub(super) fn drain() {
    if let Some(fd) = wake() {
        let mut bytes = [0; 64];
        while matches!(rustix::io::read(fd, &mut bytes), Ok(count) if count == bytes.len()) {}
    }
}

/// Returns the signals that the kernel ignores for this process. PIPE is not told: Rust's start hides it.
pub(crate) fn ignored() -> u64 {
    let chosen = IGNORED.load(Ordering::SeqCst);
    let Ok(text) = std::fs::read_to_string("/proc/self/status") else {
        return chosen;
    };
    let mask = text.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    ((mask << 1) & !(1 << signal::PIPE)) | chosen
}
