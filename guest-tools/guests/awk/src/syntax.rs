//! The tree that a program is parsed into; the compiler turns it into operations.

use crate::builtin::Builtin;

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `^`
    Power,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Where `getline` reads from.
#[derive(Debug, Clone, PartialEq)]
pub enum LineSource {
    /// The main input.
    Main,
    /// `< file`
    File(Box<Expression>),
    /// `command |`
    Command(Box<Expression>),
    /// `command |&`
    Coprocess(Box<Expression>),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// A string.
    Text(Vec<u8>),
    /// `/.../`
    Regex(Vec<u8>),
    /// A variable, parameter or array.
    Variable(String),
    /// `$e`
    Field(Box<Expression>),
    /// `a[i, j]`; the first is a variable or again an index.
    Index(Box<Expression>, Vec<Expression>),
    /// `l = e`
    Assign(Box<Expression>, Box<Expression>),
    /// `l += e` and its like.
    Augment(Arithmetic, Box<Expression>, Box<Expression>),
    /// `++l`, `l--`...
    Increment {
        /// What is changed.
        target: Box<Expression>,
        /// 1 or -1.
        step: i8,
        /// Whether the value is that before the change.
        is_postfix: bool,
    },
    /// `a + b` and its like.
    Binary(Arithmetic, Box<Expression>, Box<Expression>),
    /// `-e`
    Negate(Box<Expression>),
    /// `+e`
    Plus(Box<Expression>),
    /// `!e`
    Not(Box<Expression>),
    /// `a && b`
    And(Box<Expression>, Box<Expression>),
    /// `a || b`
    Or(Box<Expression>, Box<Expression>),
    /// `a < b` and its like.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// `text ~ pattern`
    Match(Box<Expression>, Box<Expression>),
    /// Strings in a row.
    Concatenate(Vec<Expression>),
    /// `c ? a : b`
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `(i, j) in a`
    In(Vec<Expression>, Box<Expression>),
    /// `(e)`, where the parentheses matter.
    Plain(Box<Expression>),
    /// `(a, b)`, only for print.
    List(Vec<Expression>),
    /// `f(...)`
    Call(String, Vec<Expression>, usize),
    /// `@f(...)`
    CallIndirect(String, Vec<Expression>),
    /// A function of the language.
    Builtin(Builtin, Vec<Expression>),
    /// `getline`
    Line(LineSource, Option<Box<Expression>>),
}

/// Where print writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirect {
    /// `> file`
    Truncate,
    /// `>> file`
    Append,
    /// `| command`
    Pipe,
    /// `|& command`
    Coprocess,
}

/// A label of `switch`.
#[derive(Debug, Clone, PartialEq)]
pub enum Case {
    /// `case constant:`
    Is(Expression),
    /// `default:`
    Default,
}

/// A statement with the line it begins in.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// An expression for its effect.
    Expression(Expression),
    /// `print`
    Print(Vec<Expression>, Option<(Redirect, Expression)>),
    /// `printf`
    Printf(Vec<Expression>, Option<(Redirect, Expression)>),
    /// `if`
    If(Expression, Block, Option<Block>),
    /// `while`
    While(Expression, Block),
    /// `do ... while`
    DoWhile(Block, Expression),
    /// `for (a; b; c)`
    For(
        Option<Box<Statement>>,
        Option<Expression>,
        Option<Box<Statement>>,
        Block,
    ),
    /// `for (k in a)`
    ForIn(Expression, Expression, Block),
    /// `switch`
    Switch(Expression, Vec<(Case, Block)>),
    /// `{ ... }`
    Block(Block),
    /// `next`
    Next,
    /// `nextfile`
    NextFile,
    /// `exit`
    Exit(Option<Expression>),
    /// `return`
    Return(Option<Expression>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `delete a[i]` or `delete a`
    Delete(Expression),
}

/// Statements with their lines.
pub type Block = Vec<(Statement, u32)>;

/// When a rule's action runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// For each record.
    Always,
    /// For each record for which it is true.
    When(Expression),
    /// From one record to another.
    Range(Expression, Expression),
}

/// A rule; without an action it prints the record.
#[derive(Debug, Clone)]
pub struct Rule {
    /// When.
    pub pattern: Pattern,
    /// What.
    pub action: Option<Block>,
    /// The line it begins in.
    pub line: u32,
}

/// A function of the program.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its parameters, the local variables among them.
    pub parameters: Vec<String>,
    /// What it does.
    pub body: Block,
}

/// A whole program.
#[derive(Debug, Default)]
pub struct Tree {
    /// BEGIN actions.
    pub begin: Vec<Block>,
    /// END actions.
    pub end: Vec<Block>,
    /// BEGINFILE actions.
    pub begin_file: Vec<Block>,
    /// ENDFILE actions.
    pub end_file: Vec<Block>,
    /// Rules for records.
    pub rules: Vec<Rule>,
    /// Functions.
    pub functions: Vec<Function>,
}
