//! The descriptors that the process was given: numbers, which std does not turn into descriptors safely.

use std::os::fd::{BorrowedFd, RawFd};
use std::sync::OnceLock;

use rustix::io::FdFlags;

use super::Descriptor;

/// Above these no shell and no tool gives its children descriptors.
const NUMBER_MAX: u32 = 255;
/// Taken descriptors go here or higher, out of the way of numbers that mean something.
const TAKEN_FIRST: RawFd = 256;

/// What was open at the start: [`super::prepare`] asks before this process opens anything.
static GIVEN: OnceLock<Vec<u32>> = OnceLock::new();

pub(crate) fn given() -> Vec<u32> {
    let look = || {
        let is_given = |fd: BorrowedFd<'_>| {
            rustix::io::fcntl_getfd(fd).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
        };
        (0..=NUMBER_MAX)
            .filter(|number| with_number(*number, is_given) == Some(true))
            .collect()
    };
    GIVEN.get_or_init(look).clone()
}

pub(crate) fn take(number: u32) -> Option<Descriptor> {
    if !given().contains(&number) {
        return None;
    }
    let fd = with_number(number, |fd| {
        let taken = rustix::io::fcntl_dupfd_cloexec(fd, TAKEN_FIRST).ok()?;
        if number > 2 {
            // The original stays open, but must not reach children by itself.
            let _ = rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC);
        }
        Some(taken)
    })??;
    Some(Descriptor::new(fd))
}

#[allow(
    unsafe_code,
    reason = "a number that was inherited has no owner in std's terms"
)]
fn with_number<T>(number: u32, look: impl FnOnce(BorrowedFd<'_>) -> T) -> Option<T> {
    let number = RawFd::try_from(number).ok()?;
    // SAFETY: the number is not -1, and the borrow ends before this returns. The numbers asked for are those a
    // parent gives; nothing in this process closes them, and for a number that is not open the calls made on it
    // only fail with EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    Some(look(fd))
}
