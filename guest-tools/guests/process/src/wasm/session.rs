//! The session, as the host drives it.

use super::Descriptor;
use super::bindings::sinew::process::session as host;

pub(crate) fn next() -> Option<String> {
    host::next().map(|call| call.script)
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "the other backend may have no session"
)]
pub(crate) fn notify() -> Option<Descriptor> {
    Some(Descriptor(host::notify()))
}

pub(crate) fn is_broken_off() -> bool {
    host::is_broken_off()
}

pub(crate) fn done(status: u8, state: &[u8], ended: bool) {
    host::done(status, state, ended);
}

pub(crate) fn restored() -> Option<Vec<u8>> {
    host::restored()
}
