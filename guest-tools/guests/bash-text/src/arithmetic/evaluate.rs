//! Running the code of an expression.

use bstr::{BString, ByteSlice};

use super::operator::Operation;
use super::{
    DEPTH_MAX, Element, Error, Expression, ExpressionError, Place, Subscript, Value, Variables,
    number,
};

/// A subscript that has been evaluated.
#[derive(Debug, Clone, Copy)]
enum Resolved {
    None,
    Index(i64),
    Key,
}

/// Evaluates `expression`; `depth` counts the variables whose text led here.
pub(super) fn run<V: Variables>(
    expression: &Expression,
    variables: &mut V,
    depth: usize,
) -> Result<i64, Error<V::Error>> {
    if depth > DEPTH_MAX {
        return Err(too_deep(expression, 0));
    }
    Machine {
        expression,
        variables,
        depth,
        stack: Vec::with_capacity(8),
        held: Vec::new(),
    }
    .run()
}

fn too_deep<E>(expression: &Expression, offset: usize) -> Error<E> {
    failed(expression, "expression recursion level exceeded", offset)
}

fn failed<E>(expression: &Expression, message: &'static str, offset: usize) -> Error<E> {
    Error::Expression(ExpressionError {
        expression: expression.text.clone(),
        message,
        token: BString::from(expression.text.get(offset..).unwrap_or_default()),
    })
}

struct Machine<'a, V> {
    expression: &'a Expression,
    variables: &'a mut V,
    depth: usize,
    stack: Vec<i64>,
    /// Subscripts of compound assignments under way.
    held: Vec<Resolved>,
}

impl<V: Variables> Machine<'_, V> {
    fn run(mut self) -> Result<i64, Error<V::Error>> {
        let mut at = 0;
        while let Some(operation) = self.expression.code.get(at) {
            at += 1;
            match *operation {
                Operation::Number(value) => self.stack.push(value),
                Operation::Load(place) => {
                    let (value, _) = self.load(place)?;
                    self.stack.push(value);
                }
                Operation::LoadHeld(place) => {
                    let (value, subscript) = self.load(place)?;
                    self.stack.push(value);
                    self.held.push(subscript);
                }
                Operation::Store(place) => {
                    let value = self.top();
                    if let Some(place) = self.expression.places.get(place) {
                        let subscript = self.resolve(place)?;
                        self.store(place, subscript, value)?;
                    }
                }
                Operation::StoreHeld(place) => {
                    let value = self.top();
                    let subscript = self.held.pop().unwrap_or(Resolved::None);
                    if let Some(place) = self.expression.places.get(place) {
                        self.store(place, subscript, value)?;
                    }
                }
                Operation::Step {
                    place,
                    delta,
                    is_postfix,
                } => {
                    let (before, subscript) = self.load(place)?;
                    let after = before.wrapping_add(i64::from(delta));
                    if let Some(place) = self.expression.places.get(place) {
                        self.store(place, subscript, after)?;
                    }
                    self.stack.push(if is_postfix { before } else { after });
                }
                Operation::Negate => self.change(i64::wrapping_neg),
                Operation::Complement => self.change(|value| !value),
                Operation::Not => self.change(|value| i64::from(value == 0)),
                Operation::Truth => self.change(|value| i64::from(value != 0)),
                Operation::Binary(operator, offset) => {
                    let right = self.pop();
                    let left = self.pop();
                    match operator.apply(left, right) {
                        Ok(value) => self.stack.push(value),
                        Err(message) => return Err(failed(self.expression, message, offset)),
                    }
                }
                Operation::Jump(target) => at = target,
                Operation::JumpIfZero(target) => {
                    if self.pop() == 0 {
                        at = target;
                    }
                }
                Operation::JumpIfNotZero(target) => {
                    if self.pop() != 0 {
                        at = target;
                    }
                }
                Operation::Drop => {
                    self.pop();
                }
                Operation::Fail => {
                    if let Some(failure) = &self.expression.failure {
                        return Err(Error::Expression(ExpressionError::clone(failure)));
                    }
                }
            }
        }
        Ok(self.pop())
    }

    fn pop(&mut self) -> i64 {
        self.stack.pop().unwrap_or_default()
    }

    fn top(&self) -> i64 {
        self.stack.last().copied().unwrap_or_default()
    }

    fn change(&mut self, compute: impl Fn(i64) -> i64) {
        if let Some(top) = self.stack.last_mut() {
            *top = compute(*top);
        }
    }

    fn load(&mut self, place: usize) -> Result<(i64, Resolved), Error<V::Error>> {
        let Some(place) = self.expression.places.get(place) else {
            return Ok((0, Resolved::None));
        };
        let subscript = self.resolve(place)?;
        let value = self
            .variables
            .get(&place.name, written(place, subscript))
            .map_err(Error::Variables)?;
        let text = match value {
            Value::Unset => return Ok((0, subscript)),
            Value::Integer(value) => return Ok((value, subscript)),
            Value::Text(text) => text,
        };
        if text.is_empty() {
            return Ok((0, subscript));
        }
        if let Some(value) = number::parse_integer(&text) {
            return Ok((value, subscript));
        }
        let inner = Expression::parse(&text);
        drop(text);
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.expression, place.offset));
        }
        let value = run(&inner, self.variables, self.depth + 1)?;
        Ok((value, subscript))
    }

    fn store(
        &mut self,
        place: &Place,
        subscript: Resolved,
        value: i64,
    ) -> Result<(), Error<V::Error>> {
        self.variables
            .set(&place.name, written(place, subscript), value)
            .map_err(Error::Variables)
    }

    fn resolve(&mut self, place: &Place) -> Result<Resolved, Error<V::Error>> {
        let Some(element) = &place.subscript else {
            return Ok(Resolved::None);
        };
        let text = element.text.trim();
        if text == b"@" || text == b"*" || self.variables.is_associative(&place.name) {
            return Ok(Resolved::Key);
        }
        let Element { index, .. } = element.as_ref();
        run(index, self.variables, self.depth + 1).map(Resolved::Index)
    }
}

fn written(place: &Place, subscript: Resolved) -> Subscript<'_> {
    match (subscript, &place.subscript) {
        (Resolved::Index(index), _) => Subscript::Index(index),
        (Resolved::Key, Some(element)) => Subscript::Key(&element.text),
        _ => Subscript::None,
    }
}
