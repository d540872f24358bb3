//! Reading and changing parts of a value: what jaq's language asks of the values it works on.

use std::rc::Rc;

use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Exn, ValX};

use crate::value::{Error, LENGTH_MAX, Members, Val, ValR};

fn not_iterable(value: &Val) -> Error {
    Error::str(format_args!("Cannot iterate over {}", value.shown()))
}

/// Says that a value has no such part.
pub fn not_indexable(value: &Val, index: &Val) -> Error {
    match index {
        Val::Str(key) => Error::str(format_args!(
            "Cannot index {} with string \"{key}\"",
            value.kind()
        )),
        index => Error::str(format_args!(
            "Cannot index {} with {}",
            value.kind(),
            index.kind()
        )),
    }
}

/// Returns the place of an index in so many items, if it is there.
fn place(index: f64, length: usize) -> Option<usize> {
    let index = index.floor();
    let index = if index < 0.0 {
        index + length as f64
    } else {
        index
    };
    (index >= 0.0 && index < length as f64).then_some(index as usize)
}

/// Returns where a slice of so many items begins and ends.
fn bounds(range: &Range<&Val>, length: usize) -> Result<(usize, usize), Error> {
    let bound = |value: Option<&Val>, default: f64, is_end: bool| match value {
        None | Some(Val::Null) => Ok(default),
        Some(Val::Num(number)) => {
            let number = if *number < 0.0 {
                number + length as f64
            } else {
                *number
            };
            let number = if is_end {
                number.ceil()
            } else {
                number.floor()
            };
            Ok(number.clamp(0.0, length as f64))
        }
        Some(_) => Err(Error::str(
            "Start and end indices of an array slice must be numbers",
        )),
    };
    let start = bound(range.start, 0.0, false)? as usize;
    let end = bound(range.end, length as f64, true)? as usize;
    Ok((start, end.max(start)))
}

fn part_of_text(text: &str, start: usize, end: usize) -> &str {
    let mut places = text.char_indices().map(|(place, _)| place);
    let begin = places.nth(start).unwrap_or(text.len());
    let rest = text.get(begin..).unwrap_or_default();
    let stop = rest
        .char_indices()
        .nth(end - start)
        .map_or(rest.len(), |(place, _)| place);
    rest.get(..stop).unwrap_or_default()
}

fn range_of(object: &Members) -> Range<&Val> {
    object.get("start")..object.get("end")
}

/// Returns the places where a text or a run of items begins.
pub fn indices(value: &Val, wanted: &Val) -> ValR {
    match (value, wanted) {
        (Val::Null, _) => Ok(Val::Null),
        (Val::Str(text), Val::Str(part)) => {
            if part.is_empty() {
                return Ok(Val::Null);
            }
            let mut found = Vec::new();
            for (characters, (place, _)) in text.char_indices().enumerate() {
                if text
                    .get(place..)
                    .is_some_and(|rest| rest.starts_with(&**part))
                {
                    found.push(Val::from(characters));
                }
            }
            Ok(Val::array(found))
        }
        (Val::Arr(items), Val::Arr(run)) => {
            if run.is_empty() {
                return Ok(Val::Null);
            }
            Ok(items
                .windows(run.len())
                .enumerate()
                .filter(|(_, window)| *window == run.as_slice())
                .map(|(place, _)| Val::from(place))
                .collect())
        }
        (Val::Arr(items), wanted) => Ok(items
            .iter()
            .enumerate()
            .filter(|(_, item)| *item == wanted)
            .map(|(place, _)| Val::from(place))
            .collect()),
        (value, wanted) => Err(not_indexable(value, wanted)),
    }
}

/// Returns whether a value has a key or an index.
pub fn has(value: &Val, key: &Val) -> ValR {
    match (value, key) {
        (Val::Obj(members), Val::Str(key)) => Ok(members.contains_key(key).into()),
        (Val::Arr(items), Val::Num(index)) => {
            Ok((*index >= 0.0 && index.floor() < items.len() as f64).into())
        }
        (value, key) => Err(Error::str(format_args!(
            "Cannot check whether {} has a {} key",
            value.kind(),
            key.kind()
        ))),
    }
}

/// Deletes what a path leads to.
pub fn delete(value: Val, path: &[Val]) -> ValR {
    let Some((first, rest)) = path.split_first() else {
        return Ok(Val::Null);
    };
    if matches!(value, Val::Null) {
        return Ok(value);
    }
    if !rest.is_empty() {
        use jaq_core::ValT as _;
        let inner = value.clone().index(first)?;
        if matches!(inner, Val::Null) {
            return Ok(value);
        }
        let inner = delete(inner, rest)?;
        return set(value, first, inner);
    }
    match (value, first) {
        (Val::Obj(mut members), Val::Str(key)) => {
            Rc::make_mut(&mut members).shift_remove(key);
            Ok(Val::Obj(members))
        }
        (Val::Arr(mut items), Val::Num(index)) => {
            if let Some(place) = place(*index, items.len()) {
                Rc::make_mut(&mut items).remove(place);
            }
            Ok(Val::Arr(items))
        }
        (Val::Arr(mut items), Val::Obj(range)) => {
            let (start, end) = bounds(&range_of(range), items.len())?;
            Rc::make_mut(&mut items).drain(start..end);
            Ok(Val::Arr(items))
        }
        (Val::Obj(_), key) => Err(Error::str(format_args!(
            "Cannot delete field at object index of {}",
            key.kind()
        ))),
        (Val::Arr(_), key) => Err(Error::str(format_args!(
            "Cannot delete field at array index of {}",
            key.kind()
        ))),
        (value, _) => Err(Error::str(format_args!(
            "Cannot delete fields from {}",
            value.kind()
        ))),
    }
}

/// Puts a value at a key, an index or a slice.
fn set(value: Val, key: &Val, new: Val) -> ValR {
    match (value, key) {
        (Val::Null, Val::Str(key)) => {
            let mut members = Members::new();
            members.insert(Rc::clone(key), new);
            Ok(Val::object(members))
        }
        (Val::Obj(mut members), Val::Str(key)) => {
            Rc::make_mut(&mut members).insert(Rc::clone(key), new);
            Ok(Val::Obj(members))
        }
        (Val::Null, Val::Num(_)) => set(Val::array(Vec::new()), key, new),
        (Val::Null, Val::Obj(_)) => set(Val::array(Vec::new()), key, new),
        (Val::Arr(mut items), Val::Num(index)) => {
            let mut index = index.floor();
            if index < 0.0 {
                index += items.len() as f64;
            }
            if index < 0.0 {
                return Err(Error::str("Out of bounds negative array index"));
            }
            let index = index as usize;
            if index >= LENGTH_MAX {
                return Err(Error::str("Array index too large"));
            }
            let own = Rc::make_mut(&mut items);
            if index >= own.len() {
                own.resize(index + 1, Val::Null);
            }
            if let Some(place) = own.get_mut(index) {
                *place = new;
            }
            Ok(Val::Arr(items))
        }
        (Val::Arr(mut items), Val::Obj(range)) => {
            let (start, end) = bounds(&range_of(range), items.len())?;
            let Val::Arr(new) = new else {
                return Err(Error::str(
                    "A slice of an array can only be assigned another array",
                ));
            };
            Rc::make_mut(&mut items).splice(start..end, new.iter().cloned());
            Ok(Val::Arr(items))
        }
        (Val::Obj(_), Val::Obj(_)) => {
            Err(Error::str("Cannot update field at object index of object"))
        }
        (Val::Arr(_), Val::Arr(_)) => {
            Err(Error::str("Cannot update field at array index of array"))
        }
        (value, key) => Err(not_indexable(&value, key)),
    }
}

/// Takes the part at a key out of a value where that is cheap, so that changing it needs no copy.
fn take(value: &mut Val, key: &Val) -> ValR {
    use jaq_core::ValT as _;
    match (value, key) {
        (Val::Obj(members), Val::Str(key)) => Ok(Rc::make_mut(members)
            .get_mut(key)
            .map(std::mem::take)
            .unwrap_or_default()),
        (Val::Arr(items), Val::Num(index)) => {
            let place = place(*index, items.len());
            Ok(place
                .and_then(|place| Rc::make_mut(items).get_mut(place))
                .map(std::mem::take)
                .unwrap_or_default())
        }
        (value, key) => value.clone().index(key),
    }
}

fn own<T: Clone>(shared: Rc<T>) -> T {
    Rc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone())
}

impl jaq_core::ValT for Val {
    fn from_num(text: &str) -> ValR {
        text.parse()
            .map(Self::Num)
            .map_err(|_| Error::str(format_args!("{text} is no number")))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(pairs: I) -> ValR {
        let mut members = Members::new();
        for (key, value) in pairs {
            let Self::Str(key) = key else {
                return Err(Error::str(format_args!(
                    "Object keys must be strings, not {}",
                    key.shown()
                )));
            };
            members.insert(key, value);
        }
        Ok(Self::object(members))
    }

    fn key_values(self) -> Box<dyn Iterator<Item = Result<(Self, Self), Error>>> {
        match self {
            Self::Arr(items) => Box::new(
                own(items)
                    .into_iter()
                    .enumerate()
                    .map(|(place, item)| Ok((Self::from(place), item))),
            ),
            Self::Obj(members) => Box::new(
                own(members)
                    .into_iter()
                    .map(|(key, value)| Ok((Self::Str(key), value))),
            ),
            value => Box::new(std::iter::once(Err(not_iterable(&value)))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR>> {
        match self {
            Self::Arr(items) => Box::new(own(items).into_iter().map(Ok)),
            Self::Obj(members) => Box::new(own(members).into_values().map(Ok)),
            value => Box::new(std::iter::once(Err(not_iterable(&value)))),
        }
    }

    fn index(self, index: &Self) -> ValR {
        Ok(match (&self, index) {
            (Self::Obj(members), Self::Str(key)) => members.get(key).cloned().unwrap_or_default(),
            (Self::Arr(items), Self::Num(number)) => place(*number, items.len())
                .and_then(|place| items.get(place))
                .cloned()
                .unwrap_or_default(),
            (Self::Null, Self::Str(_) | Self::Num(_) | Self::Null | Self::Obj(_)) => Self::Null,
            (Self::Arr(_) | Self::Str(_), Self::Obj(range)) => {
                return self.clone().range(range_of(range));
            }
            (Self::Arr(_), Self::Arr(_)) => return indices(&self, index),
            _ => return Err(not_indexable(&self, index)),
        })
    }

    fn range(self, range: Range<&Self>) -> ValR {
        match self {
            Self::Null => Ok(Self::Null),
            Self::Arr(items) => {
                let (start, end) = bounds(&range, items.len())?;
                Ok(Self::array(
                    items.get(start..end).unwrap_or_default().to_vec(),
                ))
            }
            Self::Str(text) => {
                let (start, end) = bounds(&range, text.chars().count())?;
                Ok(Self::text(part_of_text(&text, start, end)))
            }
            value => Err(Error::str(format_args!(
                "Cannot index {} with object",
                value.kind()
            ))),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Self::Arr(items) => own(items)
                .into_iter()
                .filter_map(|item| f(item).next())
                .collect(),
            Self::Obj(members) => {
                let mut new = Members::new();
                for (key, value) in own(members) {
                    if let Some(value) = f(value).next() {
                        new.insert(key, value?);
                    }
                }
                Ok(Self::object(new))
            }
            value => opt.fail(value, |value| Exn::from(not_iterable(&value))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        mut self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let part = match take(&mut self, index) {
            Ok(part) => part,
            Err(error) => return opt.fail(self, |_| Exn::from(error)),
        };
        match f(part).next() {
            Some(new) => Ok(set(self, index, new?)?),
            None => Ok(delete(self, std::slice::from_ref(index))?),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let index = Self::from(range.start.cloned()..range.end.cloned());
        self.map_index(&index, opt, f)
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    fn into_string(self) -> Self {
        match self {
            Self::Str(_) => self,
            value => value.to_string().into(),
        }
    }
}

impl jaq_std::ValT for Val {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Self::Arr(items) => Ok(own(items).into_iter().collect()),
            value => Err(value),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Self::Num(number) if number.fract() == 0.0)
    }

    fn as_isize(&self) -> Option<isize> {
        match self {
            Self::Num(number) if number.is_finite() => Some(*number as isize),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Num(number) => Some(*number),
            _ => None,
        }
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Self::Str(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Str(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        Self::text(&String::from_utf8_lossy(part))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::text(&String::from_utf8_lossy(bytes.as_ref()))
    }
}
