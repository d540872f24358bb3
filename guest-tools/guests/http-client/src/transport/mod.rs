//! Where requests really go: to the host's `wasi:http`, or natively, for the tests, to a socket.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasm;

use crate::message::Transport;

/// Returns what sends requests here.
pub fn own() -> Box<dyn Transport> {
    #[cfg(target_family = "wasm")]
    return Box::new(wasm::Host);
    #[cfg(not(target_family = "wasm"))]
    return Box::new(native::Sockets);
}
