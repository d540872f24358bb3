//! A JSON value as jq 1.6 has it: every number is a double, objects keep the order in which keys came.
//!
//! The operators and their messages are jq's; the language on top is jaq's.

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use indexmap::IndexMap;

use crate::print;

/// Members of an object.
pub type Members = IndexMap<Rc<str>, Val>;
/// What goes wrong in a filter.
pub type Error = jaq_core::Error<Val>;
/// A value, or what went wrong.
pub type ValR = jaq_core::ValR<Val>;

/// How much of a value a message shows, in bytes.
const SHOWN_BYTES: usize = 14;
/// The longest string or array that a filter may make, so that a slip does not take all memory.
pub const LENGTH_MAX: usize = 1 << 29;

/// A JSON value.
#[derive(Clone, Debug, Default)]
pub enum Val {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Num(f64),
    /// A string.
    Str(Rc<str>),
    /// An array.
    Arr(Rc<Vec<Val>>),
    /// An object.
    Obj(Rc<Members>),
}

impl Val {
    /// Returns a string.
    pub fn text(text: &str) -> Self {
        Self::Str(text.into())
    }

    /// Returns an array.
    pub fn array(items: Vec<Self>) -> Self {
        Self::Arr(Rc::new(items))
    }

    /// Returns an object.
    pub fn object(members: Members) -> Self {
        Self::Obj(Rc::new(members))
    }

    /// Returns the name of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Num(_) => "number",
            Self::Str(_) => "string",
            Self::Arr(_) => "array",
            Self::Obj(_) => "object",
        }
    }

    /// Returns its type and its beginning, as messages show it.
    pub fn shown(&self) -> String {
        let text = print::compact(self);
        let short = if text.len() <= SHOWN_BYTES {
            text
        } else {
            let mut end = SHOWN_BYTES - 3;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            format!("{}...", text.get(..end).unwrap_or_default())
        };
        format!("{} ({short})", self.kind())
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Num(_) => 3,
            Self::Str(_) => 4,
            Self::Arr(_) => 5,
            Self::Obj(_) => 6,
        }
    }

    /// Returns whether `other` is in it, as `contains` means it.
    pub fn contains(&self, other: &Self) -> Result<bool, Error> {
        Ok(match (self, other) {
            (Self::Obj(left), Self::Obj(right)) => {
                for (key, value) in right.iter() {
                    match left.get(key) {
                        Some(own) if own.contains(value)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (Self::Arr(left), Self::Arr(right)) => {
                for value in right.iter() {
                    let mut is_found = false;
                    for own in left.iter().filter(|own| same_kind(own, value)) {
                        if own.contains(value)? {
                            is_found = true;
                            break;
                        }
                    }
                    if !is_found {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Str(left), Self::Str(right)) => left.contains(&**right),
            (left, right) if same_kind(left, right) => left == right,
            (left, right) => {
                return Err(Error::str(format_args!(
                    "{} and {} cannot have their containment checked",
                    left.shown(),
                    right.shown()
                )));
            }
        })
    }

    /// Returns the sorted keys of an object.
    pub fn sorted(members: &Members) -> Vec<(&Rc<str>, &Self)> {
        let mut all: Vec<_> = members.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }
}

fn same_kind(left: &Val, right: &Val) -> bool {
    left.kind() == right.kind()
}

impl fmt::Display for Val {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&print::compact(self))
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<isize> for Val {
    fn from(value: isize) -> Self {
        Self::Num(value as f64)
    }
}

impl From<usize> for Val {
    fn from(value: usize) -> Self {
        Self::Num(value as f64)
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Self {
        Self::Num(value)
    }
}

impl From<String> for Val {
    fn from(value: String) -> Self {
        Self::Str(value.into())
    }
}

impl From<jaq_core::val::Range<Val>> for Val {
    fn from(range: jaq_core::val::Range<Val>) -> Self {
        let mut members = Members::new();
        members.insert("start".into(), range.start.unwrap_or_default());
        members.insert("end".into(), range.end.unwrap_or_default());
        Self::object(members)
    }
}

impl FromIterator<Val> for Val {
    fn from_iter<I: IntoIterator<Item = Val>>(items: I) -> Self {
        Self::array(items.into_iter().collect())
    }
}

impl PartialEq for Val {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Num(left), Self::Num(right)) => left == right,
            (Self::Str(left), Self::Str(right)) => left == right,
            (Self::Arr(left), Self::Arr(right)) => left == right,
            (Self::Obj(left), Self::Obj(right)) => left == right,
            (left, right) => left.rank() == right.rank(),
        }
    }
}

impl Eq for Val {}

impl PartialOrd for Val {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Val {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Not a number is less than every number, itself too: sorting puts it first.
            (Self::Num(left), Self::Num(right)) => left.partial_cmp(right).unwrap_or_else(|| {
                if left.is_nan() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }),
            (Self::Str(left), Self::Str(right)) => left.cmp(right),
            (Self::Arr(left), Self::Arr(right)) => left.cmp(right),
            (Self::Obj(left), Self::Obj(right)) => {
                let (left, right) = (Self::sorted(left), Self::sorted(right));
                let keys = left
                    .iter()
                    .map(|(key, _)| key)
                    .cmp(right.iter().map(|(key, _)| key));
                keys.then_with(|| {
                    left.iter()
                        .map(|(_, value)| value)
                        .cmp(right.iter().map(|(_, value)| value))
                })
            }
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }
}

fn mistake(left: &Val, right: &Val, what: &str) -> Error {
    Error::str(format_args!(
        "{} and {} cannot be {what}",
        left.shown(),
        right.shown()
    ))
}

impl std::ops::Add for Val {
    type Output = ValR;

    fn add(self, other: Self) -> ValR {
        Ok(match (self, other) {
            (Self::Null, value) | (value, Self::Null) => value,
            (Self::Num(left), Self::Num(right)) => Self::Num(left + right),
            (Self::Str(left), Self::Str(right)) => {
                let mut text = String::with_capacity(left.len() + right.len());
                text.push_str(&left);
                text.push_str(&right);
                Self::Str(text.into())
            }
            (Self::Arr(mut left), Self::Arr(right)) => {
                Rc::make_mut(&mut left).extend(right.iter().cloned());
                Self::Arr(left)
            }
            (Self::Obj(mut left), Self::Obj(right)) => {
                Rc::make_mut(&mut left).extend(
                    right
                        .iter()
                        .map(|(key, value)| (Rc::clone(key), value.clone())),
                );
                Self::Obj(left)
            }
            (left, right) => return Err(mistake(&left, &right, "added")),
        })
    }
}

impl std::ops::Sub for Val {
    type Output = ValR;

    fn sub(self, other: Self) -> ValR {
        Ok(match (self, other) {
            (Self::Num(left), Self::Num(right)) => Self::Num(left - right),
            (Self::Arr(mut left), Self::Arr(right)) => {
                Rc::make_mut(&mut left).retain(|item| !right.contains(item));
                Self::Arr(left)
            }
            (left, right) => return Err(mistake(&left, &right, "subtracted")),
        })
    }
}

fn merge(left: &mut Rc<Members>, right: &Members) {
    let left = Rc::make_mut(left);
    for (key, value) in right {
        match (left.get_mut(key), value) {
            (Some(Val::Obj(own)), Val::Obj(other)) => merge(own, other),
            (Some(own), value) => *own = value.clone(),
            (None, value) => {
                left.insert(Rc::clone(key), value.clone());
            }
        }
    }
}

impl std::ops::Mul for Val {
    type Output = ValR;

    fn mul(self, other: Self) -> ValR {
        Ok(match (self, other) {
            (Self::Num(left), Self::Num(right)) => Self::Num(left * right),
            (Self::Str(text), Self::Num(count)) | (Self::Num(count), Self::Str(text)) => {
                if count > 0.0 {
                    let count = if count < 1.0 { 1 } else { count as usize };
                    if text.len().saturating_mul(count) > LENGTH_MAX {
                        return Err(Error::str("Repeat string result too long"));
                    }
                    Self::Str(text.repeat(count).into())
                } else {
                    Self::Null
                }
            }
            (Self::Obj(mut left), Self::Obj(right)) => {
                merge(&mut left, &right);
                Self::Obj(left)
            }
            (left, right) => return Err(mistake(&left, &right, "multiplied")),
        })
    }
}

/// Splits a text at a separator; an empty one splits it into characters.
pub fn split(text: &str, separator: &str) -> Val {
    if text.is_empty() {
        return Val::array(Vec::new());
    }
    if separator.is_empty() {
        return text
            .chars()
            .map(|character| Val::text(character.encode_utf8(&mut [0; 4])))
            .collect();
    }
    text.split(separator).map(Val::text).collect()
}

impl std::ops::Div for Val {
    type Output = ValR;

    fn div(self, other: Self) -> ValR {
        match (&self, &other) {
            (Self::Num(left), Self::Num(right)) if *right != 0.0 => Ok(Self::Num(left / right)),
            (Self::Str(left), Self::Str(right)) => Ok(split(left, right)),
            (Self::Num(_), Self::Num(_)) => Err(mistake(
                &self,
                &other,
                "divided because the divisor is zero",
            )),
            _ => Err(mistake(&self, &other, "divided")),
        }
    }
}

impl std::ops::Rem for Val {
    type Output = ValR;

    fn rem(self, other: Self) -> ValR {
        match (&self, &other) {
            (Self::Num(left), Self::Num(right)) => {
                let (left, right) = (*left as i64, *right as i64);
                if right == 0 {
                    return Err(mistake(
                        &self,
                        &other,
                        "divided (remainder) because the divisor is zero",
                    ));
                }
                let rest = left.unsigned_abs() % right.unsigned_abs();
                let rest = rest as f64;
                Ok(Self::Num(if left < 0 { -rest } else { rest }))
            }
            _ => Err(mistake(&self, &other, "divided (remainder)")),
        }
    }
}

impl std::ops::Neg for Val {
    type Output = ValR;

    fn neg(self) -> ValR {
        match self {
            Self::Num(number) => Ok(Self::Num(-number)),
            value => Err(Error::str(format_args!(
                "{} cannot be negated",
                value.shown()
            ))),
        }
    }
}
