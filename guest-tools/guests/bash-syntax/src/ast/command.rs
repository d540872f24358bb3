//! Lists, pipelines and commands.

use std::rc::Rc;

use bstr::BString;

use super::condition::Condition;
use super::redirection::Redirection;
use super::word::Word;

/// Commands that run one after the other.
///
/// A list is empty only as the body of a `case` clause or of a substitution.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct List {
    /// The commands in order.
    pub items: Vec<ListItem>,
}

/// An element of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListItem {
    /// The pipelines.
    pub chain: Rc<AndOr>,
    /// Whether `&` follows: they run in the background.
    pub is_background: bool,
    /// Whether a newline follows, and no `;` or `&`; only for printing.
    pub is_line_end: bool,
}

/// Pipelines joined by `&&` and `||`, which bind equally strongly, from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Rc<Pipeline>,
    /// The others, each with what stands before it.
    pub rest: Vec<(Connector, Rc<Pipeline>)>,
}

/// What joins two pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connector {
    /// `&&`.
    And,
    /// `||`.
    Or,
}

/// Commands joined by `|`. For `a |& b` the parser has added `2>&1` as the last redirection of `a`, as bash
/// does.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Whether an odd number of `!` stands before it.
    pub is_negated: bool,
    /// `time`.
    pub time: Option<TimeFormat>,
    /// The commands. None for `!` or `time` alone.
    pub commands: Vec<Rc<Command>>,
    /// The line it begins on.
    pub line: u32,
}

/// How `time` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeFormat {
    /// `time`: after `TIMEFORMAT`.
    Shell,
    /// `time -p`.
    Posix,
}

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The line that `$LINENO` and messages name: that of the first word; of a compound command that of its
    /// keyword.
    pub line: u32,
    /// What it does.
    pub kind: CommandKind,
    /// Its redirections in order, also those before or between the words of a simple command. Those after
    /// the body of a function definition are on the body.
    pub redirections: Vec<Redirection>,
}

/// The kinds of commands.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandKind {
    /// Words.
    Simple(SimpleCommand),
    /// `{ ...; }`.
    Group(Rc<List>),
    /// `( ... )`.
    Subshell(Rc<List>),
    /// `if`.
    If(If),
    /// `while`.
    While(Loop),
    /// `until`.
    Until(Loop),
    /// `for name in ...`.
    For(For),
    /// `for ((...))`.
    ArithmeticFor(ArithmeticFor),
    /// `select`.
    Select(Select),
    /// `case`.
    Case(Case),
    /// `((...))`: the expression, see [`super::Arithmetic`].
    Arithmetic(Word),
    /// `[[ ... ]]`.
    Condition(Condition),
    /// `coproc`.
    Coprocess(Coprocess),
    /// `name() ...`.
    Function(Rc<FunctionDefinition>),
}

/// Assignments and words. All three lists may be empty together with redirections only, or for bare `>file`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SimpleCommand {
    /// The assignments before the command's name.
    pub assignments: Vec<Assignment>,
    /// The name and its arguments.
    pub arguments: Vec<Argument>,
}

/// A word of a simple command.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A word.
    Word(Word),
    /// An argument in the form of an assignment to a command that assigns: `declare`, `typeset`, `local`,
    /// `export`, `readonly`, `alias`, written literally, perhaps behind `command` or `builtin`. It is neither
    /// split nor globbed. [`Assignment::to_word`] gives the plain word.
    Assignment(Box<Assignment>),
}

/// `name=value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The variable.
    pub name: BString,
    /// `name[subscript]=value`: see [`super::Subscript::Index`]. Here `@` and `*` are words like others.
    pub subscript: Option<Word>,
    /// `+=`.
    pub is_append: bool,
    /// The value.
    pub value: AssignmentValue,
}

/// What is assigned.
#[derive(Debug, Clone, PartialEq)]
pub enum AssignmentValue {
    /// One value; empty word for `x=`.
    Scalar(Word),
    /// `(...)`.
    Array(Vec<ArrayElement>),
}

/// An element of a compound assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayElement {
    /// `[key]=`: see [`super::Subscript::Index`]. Without a key the value is expanded to any number of words.
    pub key: Option<Word>,
    /// `[key]+=`.
    pub is_append: bool,
    /// The value.
    pub value: Word,
}

/// `if`.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    /// `if` and each `elif`; at least one.
    pub branches: Vec<IfBranch>,
    /// `else`.
    pub otherwise: Option<Rc<List>>,
}

/// A condition and what runs when it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct IfBranch {
    /// The condition.
    pub condition: Rc<List>,
    /// The body.
    pub body: Rc<List>,
}

/// `while`, `until`.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// The condition.
    pub condition: Rc<List>,
    /// The body.
    pub body: Rc<List>,
}

/// `for name in words`.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// The variable, as written: bash checks when it runs whether it is a name.
    pub name: BString,
    /// The words; `None` without `in`, which is `"$@"`.
    pub words: Option<Vec<Word>>,
    /// The body.
    pub body: Rc<List>,
}

/// `for ((start; condition; step))`; each an expression (see [`super::Arithmetic`]), empty when left out.
#[derive(Debug, Clone, PartialEq)]
pub struct ArithmeticFor {
    /// Evaluated once.
    pub start: Word,
    /// Evaluated before each turn; empty is true.
    pub condition: Word,
    /// Evaluated after each turn.
    pub step: Word,
    /// The body.
    pub body: Rc<List>,
}

/// `select name in words`.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// The variable, as written.
    pub name: BString,
    /// The words; `None` without `in`, which is `"$@"`.
    pub words: Option<Vec<Word>>,
    /// The body.
    pub body: Rc<List>,
}

/// `case`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What is matched.
    pub subject: Word,
    /// The clauses.
    pub clauses: Vec<CaseClause>,
}

/// A clause of `case`.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseClause {
    /// The patterns, at least one.
    pub patterns: Vec<Word>,
    /// The body; may be empty.
    pub body: Rc<List>,
    /// What happens after the body.
    pub end: CaseEnd,
}

/// What follows a clause of `case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseEnd {
    /// `;;`.
    Leave,
    /// `;&`: the next body runs.
    FallThrough,
    /// `;;&`: the next patterns are tried.
    Continue,
}

/// `coproc`.
#[derive(Debug, Clone, PartialEq)]
pub struct Coprocess {
    /// The variable, as written; `COPROC` when not given.
    pub name: BString,
    /// The command.
    pub command: Rc<Command>,
}

/// A function definition.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDefinition {
    /// The name, as written.
    pub name: BString,
    /// A compound command with the function's redirections.
    pub body: Rc<Command>,
    /// Whether it is written with the word `function`.
    pub has_keyword: bool,
    /// The line of the definition.
    pub line: u32,
}
