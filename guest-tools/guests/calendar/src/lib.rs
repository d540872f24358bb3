//! Times as GNU's programs read and show them: `date -d`, `touch -d`, `find -newermt`, the formats of strftime.
//!
//! A time is seconds since the Unix epoch and nanoseconds after them; a [`Zone`] turns it into a [`Local`] time and
//! back. The locale is C.UTF-8. What the time is now is the caller's to say.

mod civil;
mod format;
mod parse;
mod words;
mod zone;

pub use civil::Civil;
pub use format::format;
pub use parse::parse;
pub use zone::{Local, Zone};
