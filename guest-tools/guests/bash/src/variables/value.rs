//! A variable: its value, its attributes and the scope that binds it.

use bstr::BString;

use super::associative::AssociativeArray;
use super::dynamic::Dynamic;
use super::indexed::IndexedArray;

/// What a variable holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// Declared without a value.
    #[default]
    Unset,
    /// One text.
    Scalar(BString),
    /// An indexed array.
    Indexed(IndexedArray),
    /// An associative array.
    Associative(AssociativeArray),
}

/// The attributes that `declare` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(u16);

impl Attributes {
    /// None.
    pub const NONE: Self = Self(0);
    /// `-x`
    pub const EXPORT: Self = Self(1);
    /// `-r`
    pub const READONLY: Self = Self(2);
    /// `-i`
    pub const INTEGER: Self = Self(4);
    /// `-l`
    pub const LOWER: Self = Self(8);
    /// `-u`
    pub const UPPER: Self = Self(16);
    /// `-n`
    pub const REFERENCE: Self = Self(32);
    /// `-t`
    pub const TRACE: Self = Self(64);
    /// `-c`
    pub const CAPITALIZE: Self = Self(128);

    /// Returns whether all of `other` are on.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns whether any of `other` is on.
    pub const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns these and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns these without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns whether none is on.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A variable.
#[derive(Debug, Clone, Default)]
pub struct Variable {
    /// What it holds.
    pub value: Value,
    /// Its attributes.
    pub attributes: Attributes,
    /// How deep the scope is that binds it: 0 for a global, n for a local of the n-th function.
    pub scope: u32,
    /// Whether an assignment before a command binds it, for as long as the command runs.
    pub is_temporary: bool,
    /// Whether an array was declared but never assigned: it counts as unset.
    pub is_declared_only: bool,
    /// Where the value comes from when it is computed at each reading.
    pub dynamic: Option<Dynamic>,
}

impl Variable {
    /// Returns a scalar without attributes.
    pub fn scalar(value: impl Into<BString>) -> Self {
        Self {
            value: Value::Scalar(value.into()),
            ..Self::default()
        }
    }

    /// Returns whether it is an array of either kind.
    pub fn is_array(&self) -> bool {
        matches!(self.value, Value::Indexed(_) | Value::Associative(_))
    }

    /// Returns whether the variable counts as set: it was given a value, if only an empty array's.
    pub fn is_assigned(&self) -> bool {
        self.dynamic.is_some() || !(matches!(self.value, Value::Unset) || self.is_declared_only)
    }

    /// Returns the text that `$name` stands for: the value, or element 0.
    pub fn text(&self) -> Option<&BString> {
        match &self.value {
            Value::Unset => None,
            Value::Scalar(text) => Some(text),
            Value::Indexed(array) => array.get(0),
            Value::Associative(array) => array.get(b"0"),
        }
    }
}
