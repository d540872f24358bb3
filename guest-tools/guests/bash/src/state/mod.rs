//! The state of a shell. `shell.rs` holds the fields, the other files methods and parts by topic.

mod arrays;
mod calls;
mod dynamic;
mod history;
mod lists;
mod options;
mod output;
mod positional;
mod refusal;
mod report;
mod shell;
mod stop;
mod variables;

pub use arrays::Subscript;
pub use calls::{Call, CallKind};
pub use history::History;
pub use options::{Options, SetOption, Shopt};
pub use output::PendingOutput;
pub use positional::Positional;
pub use refusal::Refusal;
pub use shell::{Function, HashEntry, Shell};
pub use stop::{Outcome, Stop};
