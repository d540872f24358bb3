//! The shell's descriptors: numbers, open file descriptions, buffered reading and captured output.

mod capture;
mod open;
mod relay;
mod table;

pub use capture::Capture;
pub use open::{Buffer, Open};
pub use relay::Relay;
pub use table::Descriptors;
