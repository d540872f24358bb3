//! The loop over operations.

use std::cell::RefCell;
use std::rc::Rc;

use crate::Error;
use crate::op::{Kept, Op, Special, Target};
use crate::syntax::Comparison;
use crate::value::{Value, compare};

use super::{Flow, Machine};

impl Machine {
    #[inline]
    pub(super) fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or_default()
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Executes from a place until code ends; calls return to their caller within.
    pub(super) fn execute(&mut self, entry: usize) -> Result<Flow, Error> {
        let program = self.code();
        self.place = entry;
        loop {
            let Some(op) = Self::op(&program, self.place) else {
                return Ok(Flow::Done);
            };
            self.place += 1;
            match op {
                Op::Number(number) => self.push(Value::Number(number)),
                Op::Constant(place) => {
                    let value = program
                        .constants
                        .get(place as usize)
                        .cloned()
                        .unwrap_or_default();
                    self.push(value);
                }
                Op::Empty => self.push(Value::Empty),
                Op::Pop => {
                    self.stack.pop();
                }
                Op::Drop(count) => self
                    .stack
                    .truncate(self.stack.len().saturating_sub(count as usize)),
                Op::Duplicate => {
                    let value = self.stack.last().cloned().unwrap_or_default();
                    self.push(value);
                }
                Op::Global(slot) => {
                    let value = self.globals.get(slot as usize).cloned().unwrap_or_default();
                    if let Value::Array(_) = value {
                        return Err(self.array_as_scalar(program.global_name(slot)));
                    }
                    self.push(value);
                }
                Op::Local(slot) => {
                    let value = self
                        .stack
                        .get(self.base + slot as usize)
                        .cloned()
                        .unwrap_or_default();
                    if let Value::Array(_) = value {
                        return Err(self.array_as_scalar(&self.local_name(slot)));
                    }
                    self.push(value);
                }
                Op::Special(special) => {
                    let value = self.special(special);
                    self.push(value);
                }
                Op::FieldConstant(number) => {
                    let value = self.field(number as usize);
                    self.push(value);
                }
                Op::Field => {
                    let number = self.pop().number();
                    let number = self.field_number(number)?;
                    let value = self.field(number);
                    self.push(value);
                }
                Op::ArrayGlobal(slot) => self.push_global_array(slot)?,
                Op::ArrayLocal(slot) => self.push_local_array(slot)?,
                Op::ArrayElement => self.push_element_array()?,
                Op::Element => self.push_element()?,
                Op::ArgumentGlobal(slot, is_array) => self.push_global_argument(slot, is_array),
                Op::ArgumentLocal(slot, is_array) => self.push_local_argument(slot, is_array),
                Op::ArgumentElement(is_array) => self.push_element_argument(is_array)?,
                Op::Peek(target) => self.peek(target)?,
                Op::Set(target, is_kept) => {
                    let value = self.pop().into_kept();
                    self.set(target, value, is_kept)?;
                }
                Op::Append(target, is_kept) => self.append(target, is_kept)?,
                Op::Augment(target, operator, is_kept) => {
                    let value = self.pop().number();
                    let result = self.change(target, Kept::New, |machine, old| {
                        machine.calculate(operator, old, value)
                    })?;
                    if is_kept {
                        self.push(Value::Number(result));
                    }
                }
                Op::Increment(target, step, kept) => {
                    let result = self.change(target, kept, |_, old| Ok(old + f64::from(step)))?;
                    if kept != Kept::Nothing {
                        self.push(Value::Number(result));
                    }
                }
                Op::Binary(operator) => {
                    let right = self.pop().number();
                    let left = self.pop().number();
                    let result = self.calculate(operator, left, right)?;
                    self.push(Value::Number(result));
                }
                Op::Negate => {
                    let number = self.pop().number();
                    self.push(Value::Number(-number));
                }
                Op::Plus => {
                    let number = self.pop().number();
                    self.push(Value::Number(number));
                }
                Op::Not => {
                    let is = self.pop().is_true();
                    self.push(Value::truth(!is));
                }
                Op::Truth => {
                    let is = self.pop().is_true();
                    self.push(Value::truth(is));
                }
                Op::Compare(comparison) => {
                    let right = self.pop();
                    let left = self.pop();
                    let is = self.compares(comparison, &left, &right);
                    self.push(Value::truth(is));
                }
                Op::Case => {
                    let label = self.pop();
                    let subject = self.pop();
                    let is = self.compares(Comparison::Equal, &subject, &label);
                    self.push(Value::truth(is));
                }
                Op::MatchConstant(place) => {
                    let text = self.pop();
                    let regex = self
                        .regexes
                        .constant(place, &program.regexes)
                        .map_err(|message| self.fatal(&message))?;
                    let is =
                        text.with_bytes(&self.settings.number_format, |text| regex.is_match(text));
                    self.push(Value::truth(is));
                }
                Op::Match => {
                    let pattern = self.pop();
                    let text = self.pop();
                    let regex = self.regex_of(&pattern)?;
                    let is =
                        text.with_bytes(&self.settings.number_format, |text| regex.is_match(text));
                    self.push(Value::truth(is));
                }
                Op::Concatenate(count) => {
                    let value = Value::text(self.joined(count as usize, b""));
                    self.push(value);
                }
                Op::JoinKeys(count) => {
                    let separator = std::mem::take(&mut self.settings.key_separator);
                    let value = Value::text(self.joined(count as usize, &separator));
                    self.settings.key_separator = separator;
                    self.push(value);
                }
                Op::Regex(place) => self.push(Value::Regex(place)),
                Op::In => {
                    let array = self.pop();
                    let key = self.pop();
                    let is = match &array {
                        Value::Array(array) => {
                            self.with_key(&key, |key| array.borrow().get(key).is_some())
                        }
                        _ => false,
                    };
                    self.push(Value::truth(is));
                }
                Op::DeleteElement => {
                    let key = self.pop();
                    if let Value::Array(array) = self.pop() {
                        self.with_key(&key, |key| array.borrow_mut().remove(key));
                    }
                }
                Op::DeleteArray => {
                    if let Value::Array(array) = self.pop() {
                        array.borrow_mut().clear();
                    }
                }
                Op::Jump(goal) => self.place = goal as usize,
                Op::JumpIfFalse(goal) => {
                    if !self.pop().is_true() {
                        self.place = goal as usize;
                    }
                }
                Op::JumpIfTrue(goal) => {
                    if self.pop().is_true() {
                        self.place = goal as usize;
                    }
                }
                Op::Keys => {
                    if let Value::Array(array) = self.pop() {
                        let rest = self.keys_in_order(&array)?;
                        self.push(Value::Keys(Rc::new(RefCell::new(crate::value::Keys {
                            rest,
                        }))));
                    }
                }
                Op::NextKey(goal) => {
                    let next = match self.stack.last() {
                        Some(Value::Keys(keys)) => keys.borrow_mut().rest.pop(),
                        _ => None,
                    };
                    match next {
                        Some(key) => self.push(key),
                        None => {
                            self.stack.pop();
                            self.place = goal as usize;
                        }
                    }
                }
                Op::RangeIsOpen(range) => {
                    let is = self.ranges.get(range as usize).copied().unwrap_or(false);
                    self.push(Value::truth(is));
                }
                Op::SetRange(range, is_open) => {
                    if let Some(slot) = self.ranges.get_mut(range as usize) {
                        *slot = is_open;
                    }
                }
                Op::Call(function, count) => self.call(function, count as usize)?,
                Op::CallIndirect(count) => self.call_indirect(count as usize)?,
                Op::Return => self.return_from_call(),
                Op::Builtin(builtin, count) => self.call_builtin(builtin, count as usize)?,
                Op::Substitute(is_global) => self.substitute(is_global)?,
                Op::GetLine(from, is_for_variable) => {
                    if !self.get_line(from, is_for_variable)? {
                        return Ok(Flow::Exit);
                    }
                }
                Op::JumpUnlessGot(goal) => {
                    if self.got_status <= 0.0 {
                        self.place = goal as usize;
                    }
                }
                Op::KeepText => self.got_text = self.pop(),
                Op::PushGotText => {
                    let text = std::mem::take(&mut self.got_text);
                    self.push(text);
                }
                Op::PushGotStatus => self.push(Value::Number(self.got_status)),
                Op::Print(count, redirect) => self.print(count as usize, redirect)?,
                Op::PrintRecord => self.print_record()?,
                Op::Printf(count, redirect) => self.printf(count as usize, redirect)?,
                Op::Next => return Ok(Flow::Next),
                Op::NextFile => return Ok(Flow::NextFile),
                Op::Exit(has_status) => {
                    if has_status {
                        let status = self.pop().number();
                        self.exit_status = (status as i64 & 0xff) as u8;
                    }
                    return Ok(Flow::Exit);
                }
                Op::Done => return Ok(Flow::Done),
            }
        }
    }

    /// Joins the values on top of the stack in the machine's buffer.
    fn joined(&mut self, count: usize, separator: &[u8]) -> &[u8] {
        self.buffer.clear();
        let from = self.stack.len().saturating_sub(count);
        for (place, value) in self.stack.iter().skip(from).enumerate() {
            if place > 0 {
                self.buffer.extend_from_slice(separator);
            }
            value.append_to(&mut self.buffer, &self.settings.number_format);
        }
        self.stack.truncate(from);
        &self.buffer
    }

    pub(super) fn compares(&self, comparison: Comparison, left: &Value, right: &Value) -> bool {
        let order = match (left, right) {
            (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
            _ => compare(
                left,
                right,
                &self.settings.number_format,
                self.regexes.ignores_case(),
            ),
        };
        match (comparison, order) {
            (Comparison::NotEqual, None) => true,
            (_, None) => false,
            (Comparison::Less, Some(order)) => order.is_lt(),
            (Comparison::LessOrEqual, Some(order)) => order.is_le(),
            (Comparison::Equal, Some(order)) => order.is_eq(),
            (Comparison::NotEqual, Some(order)) => order.is_ne(),
            (Comparison::Greater, Some(order)) => order.is_gt(),
            (Comparison::GreaterOrEqual, Some(order)) => order.is_ge(),
        }
    }

    /// Calls `use_key` with a value as the key of an array.
    #[inline]
    pub(super) fn with_key<R>(&self, key: &Value, use_key: impl FnOnce(&[u8]) -> R) -> R {
        match key {
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                use_key(itoa::Buffer::new().format(*number as i64).as_bytes())
            }
            _ => key.with_bytes(&self.settings.number_format, use_key),
        }
    }

    /// Returns the value of NF, NR or FNR, or of another special variable.
    pub(super) fn special(&mut self, special: Special) -> Value {
        match special {
            Special::Nf => Value::Number(self.record.count() as f64),
            Special::Nr => Value::Number(self.record_number),
            Special::Fnr => Value::Number(self.file_record_number),
            special => self
                .globals
                .get(special.slot() as usize)
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// Pushes the value of a target whose pieces lie below two other values.
    fn peek(&mut self, target: Target) -> Result<(), Error> {
        let height = self.stack.len();
        let value = match target {
            Target::Field => {
                let number = self
                    .stack
                    .get(height.saturating_sub(3))
                    .map_or(0.0, Value::number);
                let number = self.field_number(number)?;
                self.field(number)
            }
            Target::Element => {
                let array = self
                    .stack
                    .get(height.saturating_sub(4))
                    .cloned()
                    .unwrap_or_default();
                let key = self
                    .stack
                    .get(height.saturating_sub(3))
                    .cloned()
                    .unwrap_or_default();
                self.element(&array, &key)?
            }
            Target::Global(_) | Target::Local(_) | Target::Special(_) => Value::Empty,
        };
        self.push(value);
        Ok(())
    }
}
