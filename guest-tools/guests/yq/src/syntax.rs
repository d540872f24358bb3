//! Expressions as they are understood.

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply(Merge),
    Divide,
    Remainder,
    Alternative,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// The letters behind `*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// `+`: sequences grow.
    pub appends: bool,
    /// `d`: items of sequences are merged one by one.
    pub is_deep: bool,
    /// `?`: only what is there already.
    pub is_existing_only: bool,
    /// `n`: only what is not there yet.
    pub is_new_only: bool,
    /// `c`: tags of the user's own give way.
    pub clobbers_tags: bool,
}

/// What of a node beside its value can be read and set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    Style,
    Tag,
    Anchor,
    Alias,
    LineComment,
    HeadComment,
    FootComment,
    /// All three, to be set only.
    Comments,
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Expression {
    /// `.`
    Itself,
    /// A literal: its tag and text.
    Literal(&'static str, String),
    /// Pieces of a string: texts, and expressions between `\(` and `)`.
    Interpolated(Vec<Piece>),
    /// `.name`; with `?` no mistake if that cannot be.
    Field(String, bool),
    /// `a[b]`, `a[]`.
    Index(Box<Self>, Option<Box<Self>>, bool),
    /// `a[b:c]`
    Slice(Box<Self>, Option<Box<Self>>, Option<Box<Self>>),
    /// `..`; with keys: `...`.
    Recurse(bool),
    /// `$name`
    Variable(String),
    Pipe(Box<Self>, Box<Self>),
    /// `,`
    Union(Box<Self>, Box<Self>),
    /// `;`
    Block(Box<Self>, Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
    /// `=` and `|=`; with `c` behind it, tags give way.
    Assign {
        target: Box<Self>,
        value: Box<Self>,
        is_relative: bool,
        clobbers_tags: bool,
    },
    /// `+=` and the like.
    Update(Operator, Box<Self>, Box<Self>),
    /// `style=` and the like.
    AssignAttribute {
        target: Box<Self>,
        attribute: Attribute,
        value: Box<Self>,
        is_relative: bool,
    },
    Attribute(Attribute),
    /// `a as $x | b`, `a ref $x | b`
    Bind(Box<Self>, String, bool, Box<Self>),
    /// `a as $x ireduce (b; c)`
    Reduce(Box<Self>, String, Box<Self>, Box<Self>),
    /// `[a]`
    Collect(Option<Box<Self>>),
    /// `{a: b}`
    Object(Vec<(Self, Self)>),
    /// `if`
    Choice(Box<Self>, Box<Self>, Option<Box<Self>>),
    /// A function with its arguments.
    Call(String, Vec<Self>),
}

/// A piece of a string.
#[derive(Clone, Debug)]
pub enum Piece {
    Text(String),
    Expression(Expression),
}
