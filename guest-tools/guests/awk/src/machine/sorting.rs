//! The order of keys: `PROCINFO["sorted_in"]`, `asort` and `asorti`.
//!
//! The sort is a merge of our own, since a comparison may be a function of the program, which can fail and need
//! not be consistent.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::Error;
use crate::builtin::Builtin;
use crate::op::Special;
use crate::value::{ArrayHandle, Text, Value, compare_folded};

use super::Machine;

type Pair = (Value, Value);

/// How pairs of key and element are compared.
enum Rule {
    Unsorted,
    KeyText(bool),
    KeyNumber(bool),
    ValueType(bool),
    ValueText(bool),
    ValueNumber(bool),
    Function(u32),
}

impl Machine {
    /// Returns the keys of an array for a loop, last first.
    pub(super) fn keys_in_order(&mut self, array: &ArrayHandle) -> Result<Vec<Value>, Error> {
        let rule = self.sorted_in()?;
        if let Rule::Unsorted = rule {
            return Ok(natural_order(array));
        }
        let pairs = pairs_of(array);
        let sorted = self.sorted(pairs, &rule)?;
        Ok(sorted.into_iter().rev().map(|(key, _)| key).collect())
    }

    fn sorted_in(&self) -> Result<Rule, Error> {
        let name = match self.globals.get(Special::Procinfo.slot() as usize) {
            Some(Value::Array(procinfo)) => procinfo
                .borrow()
                .get(b"sorted_in")
                .map(|value| value.to_bytes(b"%.6g"))
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        if name.is_empty() {
            return Ok(Rule::Unsorted);
        }
        self.rule_of(&name)
    }

    fn rule_of(&self, name: &[u8]) -> Result<Rule, Error> {
        let text = String::from_utf8_lossy(name).into_owned();
        Ok(match text.as_str() {
            "@unsorted" => Rule::Unsorted,
            "@ind_str_asc" => Rule::KeyText(false),
            "@ind_str_desc" => Rule::KeyText(true),
            "@ind_num_asc" => Rule::KeyNumber(false),
            "@ind_num_desc" => Rule::KeyNumber(true),
            "@val_type_asc" => Rule::ValueType(false),
            "@val_type_desc" => Rule::ValueType(true),
            "@val_str_asc" => Rule::ValueText(false),
            "@val_str_desc" => Rule::ValueText(true),
            "@val_num_asc" => Rule::ValueNumber(false),
            "@val_num_desc" => Rule::ValueNumber(true),
            name => match self.function_of(name) {
                Some(function) => Rule::Function(function),
                None => {
                    return Err(
                        self.fatal(&format!("sort comparison function `{name}' is not defined"))
                    );
                }
            },
        })
    }

    /// `asort` and `asorti`.
    pub(super) fn sort(&mut self, builtin: Builtin, arguments: &[Value]) -> Result<Value, Error> {
        let Some(Value::Array(source)) = arguments.first() else {
            return Ok(Value::Empty);
        };
        let destination = match arguments.get(1) {
            Some(Value::Array(array)) => array,
            _ => source,
        };
        let rule = match arguments.get(2) {
            Some(name) => {
                let name = name.to_bytes(&self.settings.number_format);
                self.rule_of(&name)?
            }
            None if builtin == Builtin::Asort => Rule::ValueType(false),
            None => Rule::KeyText(false),
        };
        let pairs = self.sorted(pairs_of(source), &rule)?;
        let count = pairs.len();
        let mut array = destination.borrow_mut();
        array.clear();
        for (place, (key, value)) in pairs.into_iter().enumerate() {
            let value = if builtin == Builtin::Asort {
                value
            } else {
                key
            };
            array.set(itoa::Buffer::new().format(place + 1).as_bytes(), value);
        }
        Ok(Value::Number(count as f64))
    }

    fn sorted(&mut self, pairs: Vec<Pair>, rule: &Rule) -> Result<Vec<Pair>, Error> {
        if let Rule::Unsorted = rule {
            return Ok(pairs);
        }
        // Bottom-up: runs of 1, 2, 4... are merged.
        let mut from = pairs;
        let mut run = 1;
        while run < from.len() {
            let mut into = Vec::with_capacity(from.len());
            let mut rest = from.into_iter().peekable();
            while rest.peek().is_some() {
                let left: Vec<Pair> = rest.by_ref().take(run).collect();
                let right: Vec<Pair> = rest.by_ref().take(run).collect();
                self.merge(left, right, rule, &mut into)?;
            }
            from = into;
            run *= 2;
        }
        Ok(from)
    }

    fn merge(
        &mut self,
        left: Vec<Pair>,
        right: Vec<Pair>,
        rule: &Rule,
        into: &mut Vec<Pair>,
    ) -> Result<(), Error> {
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
            let takes_right = self.order(one, other, rule)?.is_gt();
            into.extend(if takes_right {
                right.next()
            } else {
                left.next()
            });
        }
        into.extend(left);
        into.extend(right);
        Ok(())
    }

    fn order(&mut self, one: &Pair, other: &Pair, rule: &Rule) -> Result<Ordering, Error> {
        let by_key = |machine: &Self| machine.text_order(&one.0, &other.0);
        let (order, is_reversed) = match rule {
            Rule::Unsorted => (Ordering::Equal, false),
            Rule::KeyText(is_reversed) => (by_key(self), *is_reversed),
            Rule::KeyNumber(is_reversed) => (
                one.0
                    .number()
                    .total_cmp(&other.0.number())
                    .then_with(|| by_key(self)),
                *is_reversed,
            ),
            Rule::ValueType(is_reversed) => (
                self.type_order(&one.1, &other.1).then_with(|| by_key(self)),
                *is_reversed,
            ),
            Rule::ValueText(is_reversed) => (
                rank(&one.1)
                    .max(1)
                    .cmp(&rank(&other.1).max(1))
                    .then_with(|| self.text_order(&one.1, &other.1))
                    .then_with(|| by_key(self)),
                *is_reversed,
            ),
            Rule::ValueNumber(is_reversed) => {
                let order = one
                    .1
                    .number()
                    .partial_cmp(&other.1.number())
                    .unwrap_or(Ordering::Equal);
                let order = match (&one.1, &other.1) {
                    (Value::Array(_), Value::Array(_)) => Ordering::Equal,
                    (Value::Array(_), _) => Ordering::Greater,
                    (_, Value::Array(_)) => Ordering::Less,
                    _ => order.then_with(|| self.text_order(&one.1, &other.1)),
                };
                (order.then_with(|| by_key(self)), *is_reversed)
            }
            Rule::Function(function) => {
                let arguments = vec![
                    one.0.clone(),
                    one.1.clone(),
                    other.0.clone(),
                    other.1.clone(),
                ];
                let result = self.call_back(*function, arguments)?.number();
                (result.partial_cmp(&0.0).unwrap_or(Ordering::Equal), false)
            }
        };
        Ok(if is_reversed { order.reverse() } else { order })
    }

    fn text_order(&self, one: &Value, other: &Value) -> Ordering {
        let format = &self.settings.number_format;
        let ignore_case = self.regexes.ignores_case();
        one.with_bytes(format, |one| {
            other.with_bytes(format, |other| {
                if ignore_case {
                    compare_folded(one, other).then_with(|| one.cmp(other))
                } else {
                    one.cmp(other)
                }
            })
        })
    }

    /// Numbers before strings before arrays.
    fn type_order(&self, one: &Value, other: &Value) -> Ordering {
        match rank(one).cmp(&rank(other)) {
            Ordering::Equal if rank(one) == 0 => one.number().total_cmp(&other.number()),
            Ordering::Equal => self.text_order(one, other),
            order => order,
        }
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Array(_) => 2,
        value => u8::from(value.as_number().is_none()),
    }
}

/// Returns the keys of an array, last first: texts as they were inserted, then whole numbers in ascending order, as
/// gawk gives them. Such a number compares as one.
fn natural_order(array: &ArrayHandle) -> Vec<Value> {
    let array = array.borrow();
    let mut texts = Vec::with_capacity(array.len());
    let mut numbers: Vec<(u64, &Rc<Text>)> = Vec::new();
    for (key, _) in array.iter() {
        match index_of(key.bytes()) {
            Some(index) => numbers.push((index, key)),
            None => texts.push(Value::Text(Rc::clone(key))),
        }
    }
    if !numbers.is_sorted_by_key(|entry| entry.0) {
        numbers.sort_unstable_by_key(|entry| entry.0);
    }
    texts.extend(
        numbers
            .into_iter()
            .map(|(_, key)| Value::Input(Rc::clone(key))),
    );
    texts.reverse();
    texts
}

/// Returns the number that a key is, if it is one from 0 on as numbers are written.
fn index_of(key: &[u8]) -> Option<u64> {
    if key.is_empty() || key.len() > 15 || (key.len() > 1 && key.first() == Some(&b'0')) {
        return None;
    }
    key.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

fn pairs_of(array: &ArrayHandle) -> Vec<Pair> {
    array
        .borrow()
        .iter()
        .map(|(key, value)| (Value::Text(Rc::clone(key)), value.clone()))
        .collect()
}
