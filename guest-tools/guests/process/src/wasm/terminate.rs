//! The end of a process with its exact status.
//!
//! The C library's `_Exit` knows only success and failure, and std's `exit` ends there. The function below takes its
//! place in every program that links this crate: the linker looks in the C library only for names that nobody else
//! has.

use super::bindings::sinew::process::processes as host;

pub(super) fn terminate(status: u8) -> ! {
    host::exit(status);
    // The host's call does not return.
    loop {
        std::hint::spin_loop();
    }
}

#[allow(
    unsafe_code,
    reason = "a name that the linker knows is the only way to change what std's exit does"
)]
#[allow(non_snake_case, reason = "C's name")]
// SAFETY: C defines exactly this signature and that it does not return; no other definition of the name is linked,
// because that of the C library stands in an archive member of its own.
#[unsafe(no_mangle)]
extern "C" fn _Exit(status: i32) -> ! {
    // As POSIX has it: the low eight bits.
    let [status, ..] = status.to_le_bytes();
    terminate(status)
}
