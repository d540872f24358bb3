//! Running commands: lists, pipelines, compound and simple commands, functions and programs.

mod background;
mod call;
mod compound;
mod condition;
mod facts;
mod list;
mod lookup;
mod pipeline;
mod program;
mod script;
mod simple;
mod source;
mod subshell;
mod text;
mod timing;
mod trace;

pub use facts::World;
pub use list::execute_list;
pub use lookup::Lookup;
pub use program::Afterwards;
pub use simple::{run_invocation, run_words};
pub(crate) use source::AliasTable;
pub use source::{Origin, report_syntax, run_text, source_file};
pub use subshell::finish_subshell;
pub use text::{exported_text, function_text};
