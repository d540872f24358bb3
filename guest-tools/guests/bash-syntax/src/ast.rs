//! The syntax tree.
//!
//! It holds what the source says and nothing that the shell decides later: no quote is removed, no name is
//! looked up, brace expansion and tilde expansion are left to the reader of a word. What a shell keeps beyond
//! one command (lists, commands, function definitions, substitutions) is behind `Rc`, hence cheap to share.
//! A word prints back to what bash stores for it: see `print`.

mod command;
mod condition;
mod expansion;
mod redirection;
mod word;

pub use command::{
    AndOr, Argument, ArithmeticFor, ArrayElement, Assignment, AssignmentValue, Case, CaseClause,
    CaseEnd, Command, CommandKind, Connector, Coprocess, For, FunctionDefinition, If, IfBranch,
    List, ListItem, Loop, Pipeline, Select, SimpleCommand, TimeFormat,
};
pub use condition::{BinaryTest, Condition, UnaryTest};
pub use expansion::{
    Arithmetic, ArithmeticStyle, Backquoted, CaseChange, CommandSubstitution, Joining, Operation,
    Parameter, ParameterExpansion, ProcessDirection, ProcessSubstitution, RemoveSide,
    ReplaceAnchor, Special, Subscript, Transformation, UnsetAction, ValueExpansion,
};
pub use redirection::{
    Descriptor, HereDocument, Redirection, RedirectionOperator, RedirectionTarget,
};
pub use word::{Word, WordPart};
