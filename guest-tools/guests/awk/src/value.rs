//! AWK's values: numbers, strings, and input text that is a number if it looks like one.
//!
//! A value is cheap to clone: text is shared and carries its number once it was asked for. A `Slice` is a field
//! that still lies in its record; it lives on the machine's stack only and becomes a text of its own when it is
//! stored, so that an array of fields does not hold whole records.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

use smallvec::SmallVec;

use crate::array::Array;
use crate::number;

/// What a text is as a number, as far as it is known.
#[derive(Debug, Clone, Copy)]
enum Known {
    Nothing,
    /// The number it begins with.
    Prefix(f64),
    /// It looks like a number as a whole (only asked of input).
    Whole(f64),
    /// It does not look like one; its prefix is this.
    NotWhole(f64),
}

/// A shared text with its number.
#[derive(Debug, Clone)]
pub struct Text {
    bytes: SmallVec<[u8; 24]>,
    known: Cell<Known>,
}

impl Text {
    /// Returns a text of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: SmallVec::from_slice(bytes),
            known: Cell::new(Known::Nothing),
        }
    }

    /// Returns its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends bytes; its number is no longer known.
    pub fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.known.set(Known::Nothing);
    }

    fn prefix(&self) -> f64 {
        match self.known.get() {
            Known::Prefix(number) | Known::Whole(number) | Known::NotWhole(number) => number,
            Known::Nothing => {
                let number = number::parse_prefix(&self.bytes).0;
                self.known.set(Known::Prefix(number));
                number
            }
        }
    }

    fn whole(&self) -> Option<f64> {
        match self.known.get() {
            Known::Whole(number) => Some(number),
            Known::NotWhole(_) => None,
            Known::Nothing | Known::Prefix(_) => match number::parse_whole(&self.bytes) {
                Some(number) => {
                    self.known.set(Known::Whole(number));
                    Some(number)
                }
                None => {
                    self.known
                        .set(Known::NotWhole(number::parse_prefix(&self.bytes).0));
                    None
                }
            },
        }
    }
}

/// The keys a `for (k in a)` still has to visit, last first.
#[derive(Debug)]
pub struct Keys {
    /// The next keys, in reverse.
    pub rest: Vec<Value>,
}

/// An array that variables, parameters and elements share.
pub type ArrayHandle = Rc<RefCell<Array>>;

/// A value of a variable, an element, a field, or on the machine's stack.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Never assigned: 0 and the empty string at once.
    #[default]
    Empty,
    /// A number.
    Number(f64),
    /// A string.
    Text(Rc<Text>),
    /// Input: a number if it looks like one.
    Input(Rc<Text>),
    /// Input that lies in its record from the first place to the second.
    Slice(Rc<Vec<u8>>, u32, u32),
    /// A constant regular expression by its place in the program, as an argument.
    Regex(u32),
    /// An array.
    Array(ArrayHandle),
    /// The rest of a loop over keys; on the stack only.
    Keys(Rc<RefCell<Keys>>),
}

impl Value {
    /// Returns a string.
    pub fn text(bytes: &[u8]) -> Self {
        Self::Text(Rc::new(Text::new(bytes)))
    }

    /// Returns input text.
    pub fn input(bytes: &[u8]) -> Self {
        Self::Input(Rc::new(Text::new(bytes)))
    }

    /// Returns 1 or 0.
    pub fn truth(is: bool) -> Self {
        Self::Number(if is { 1.0 } else { 0.0 })
    }

    /// Returns a new, empty array.
    pub fn new_array() -> Self {
        Self::Array(Rc::new(RefCell::new(Array::default())))
    }

    /// Returns the bytes of a text of any kind, none for numbers.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) | Self::Input(text) => Some(text.bytes()),
            Self::Slice(record, start, end) => Some(slice(record, *start, *end)),
            Self::Empty => Some(&[]),
            Self::Number(_) | Self::Regex(_) | Self::Array(_) | Self::Keys(_) => None,
        }
    }

    /// Returns it as a number.
    pub fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) | Self::Input(text) => text.prefix(),
            Self::Slice(record, start, end) => number::parse_prefix(slice(record, *start, *end)).0,
            Self::Empty | Self::Regex(_) | Self::Array(_) | Self::Keys(_) => 0.0,
        }
    }

    /// Returns whether it counts as true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.bytes().is_empty(),
            Self::Input(text) => match text.whole() {
                Some(number) => number != 0.0,
                None => !text.bytes().is_empty(),
            },
            Self::Slice(record, start, end) => {
                let bytes = slice(record, *start, *end);
                number::parse_whole(bytes).map_or(!bytes.is_empty(), |number| number != 0.0)
            }
            Self::Empty | Self::Regex(_) | Self::Array(_) | Self::Keys(_) => false,
        }
    }

    /// Returns the number, if comparisons take it for one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Empty => Some(0.0),
            Self::Input(text) => text.whole(),
            Self::Slice(record, start, end) => number::parse_whole(slice(record, *start, *end)),
            Self::Text(_) | Self::Regex(_) | Self::Array(_) | Self::Keys(_) => None,
        }
    }

    /// Appends it as a string; numbers that are not whole in `format`.
    pub fn append_to(&self, into: &mut Vec<u8>, format: &[u8]) {
        match self {
            Self::Number(number) => number::append(into, *number, format),
            _ => into.extend_from_slice(self.as_bytes().unwrap_or_default()),
        }
    }

    /// Calls `use_bytes` with it as a string.
    pub fn with_bytes<R>(&self, format: &[u8], use_bytes: impl FnOnce(&[u8]) -> R) -> R {
        match self.as_bytes() {
            Some(bytes) => use_bytes(bytes),
            None => {
                let mut bytes = Vec::with_capacity(24);
                self.append_to(&mut bytes, format);
                use_bytes(&bytes)
            }
        }
    }

    /// Returns its string as bytes of their own.
    pub fn to_bytes(&self, format: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes, format);
        bytes
    }

    /// Returns the same value in a form that may be kept: a slice becomes a text of its own.
    pub fn into_kept(self) -> Self {
        match self {
            Self::Slice(record, start, end) => Self::input(slice(&record, start, end)),
            kept => kept,
        }
    }
}

fn slice(record: &[u8], start: u32, end: u32) -> &[u8] {
    record.get(start as usize..end as usize).unwrap_or_default()
}

/// Compares two values as AWK's operators do: as numbers if both are, or look like, numbers, as strings otherwise.
/// None stands for a comparison with NaN, where all but `!=` is false.
pub fn compare(left: &Value, right: &Value, format: &[u8], ignore_case: bool) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
        return left.partial_cmp(&right);
    }
    Some(left.with_bytes(format, |left| {
        right.with_bytes(format, |right| {
            if ignore_case {
                compare_folded(left, right)
            } else {
                left.cmp(right)
            }
        })
    }))
}

/// Compares texts without regard to case.
pub fn compare_folded(left: &[u8], right: &[u8]) -> Ordering {
    left.iter()
        .map(u8::to_ascii_lowercase)
        .cmp(right.iter().map(u8::to_ascii_lowercase))
}
