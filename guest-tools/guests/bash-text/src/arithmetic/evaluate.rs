//! Running the code of an expression.
//!
//! A variable whose text is itself an expression suspends the one that asked for it, on a list instead of
//! the stack: a thousand levels, which bash allows, cost no more than memory.

use std::borrow::Cow;

use bstr::{BString, ByteSlice};

use super::operator::Operation;
use super::{
    DEPTH_MAX, Error, Expression, ExpressionError, Place, Subscript, Value, Variables, number,
};

/// Bounds subscripts whose evaluation needs subscripts: each is a call of its own.
const SUBSCRIPT_DEPTH_MAX: usize = 40;

/// A subscript that has been evaluated.
#[derive(Debug, Clone, Copy)]
enum Resolved {
    None,
    Index(i64),
    Key,
}

/// What to do with the value of a variable.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Push,
    /// Push it and remember the subscript.
    Hold,
    Step {
        delta: i8,
        is_postfix: bool,
    },
}

/// A value that was asked for.
#[derive(Debug, Clone, Copy)]
struct Request {
    place: usize,
    subscript: Resolved,
    purpose: Purpose,
}

/// An expression under way, and what for.
struct Frame<'a> {
    expression: Cow<'a, Expression>,
    at: usize,
    /// What the expression that asked for this one does with the value.
    request: Option<Request>,
}

/// Evaluates `expression`; `depth` counts the subscripts around it.
pub(super) fn run<V: Variables>(
    expression: &Expression,
    variables: &mut V,
    depth: usize,
) -> Result<i64, Error<V::Error>> {
    if depth > SUBSCRIPT_DEPTH_MAX {
        return Err(too_deep(expression, 0));
    }
    let mut machine = Machine {
        variables,
        depth,
        stack: Vec::with_capacity(8),
        held: Vec::new(),
    };
    let mut suspended: Vec<Frame<'_>> = Vec::new();
    let mut frame = Frame {
        expression: Cow::Borrowed(expression),
        at: 0,
        request: None,
    };
    loop {
        match machine.advance(&mut frame)? {
            Some((inner, request)) => {
                if suspended.len() >= DEPTH_MAX {
                    let offset = frame
                        .expression
                        .places
                        .get(request.place)
                        .map_or(0, |place| place.offset);
                    return Err(too_deep(&frame.expression, offset));
                }
                let inner = Frame {
                    expression: Cow::Owned(inner),
                    at: 0,
                    request: Some(request),
                };
                suspended.push(std::mem::replace(&mut frame, inner));
            }
            None => {
                let Some(outer) = suspended.pop() else {
                    return Ok(machine.pop());
                };
                let inner = std::mem::replace(&mut frame, outer);
                let value = machine.pop();
                if let Some(request) = inner.request {
                    machine.take(&frame.expression, value, request)?;
                }
            }
        }
    }
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
    variables: &'a mut V,
    depth: usize,
    stack: Vec<i64>,
    /// Subscripts of compound assignments under way.
    held: Vec<Resolved>,
}

impl<V: Variables> Machine<'_, V> {
    /// Runs the frame to its end (`None`), or to a variable whose text must be evaluated first.
    fn advance(
        &mut self,
        frame: &mut Frame<'_>,
    ) -> Result<Option<(Expression, Request)>, Error<V::Error>> {
        let expression = frame.expression.as_ref();
        while let Some(operation) = expression.code.get(frame.at) {
            frame.at += 1;
            match *operation {
                Operation::Number(value) => self.stack.push(value),
                Operation::Load(place) => {
                    if let Some(wait) = self.load(expression, place, Purpose::Push)? {
                        return Ok(Some(wait));
                    }
                }
                Operation::LoadHeld(place) => {
                    if let Some(wait) = self.load(expression, place, Purpose::Hold)? {
                        return Ok(Some(wait));
                    }
                }
                Operation::Step {
                    place,
                    delta,
                    is_postfix,
                } => {
                    if let Some(wait) =
                        self.load(expression, place, Purpose::Step { delta, is_postfix })?
                    {
                        return Ok(Some(wait));
                    }
                }
                Operation::Store(place) => {
                    if let Some(place) = expression.places.get(place) {
                        let subscript = self.resolve(place)?;
                        self.store(place, subscript, self.top())?;
                    }
                }
                Operation::StoreHeld(place) => {
                    let subscript = self.held.pop().unwrap_or(Resolved::None);
                    if let Some(place) = expression.places.get(place) {
                        self.store(place, subscript, self.top())?;
                    }
                }
                Operation::Negate => self.change(i64::wrapping_neg),
                Operation::Complement => self.change(|value| !value),
                Operation::Not => self.change(|value| i64::from(value == 0)),
                Operation::Truth => self.change(|value| i64::from(value != 0)),
                Operation::Binary(operator, offset) => {
                    let right = self.pop();
                    let left = self.pop();
                    let value = operator
                        .apply(left, right)
                        .map_err(|message| failed(expression, message, offset))?;
                    self.stack.push(value);
                }
                Operation::Jump(target) => frame.at = target,
                Operation::JumpIfZero(target) => {
                    if self.pop() == 0 {
                        frame.at = target;
                    }
                }
                Operation::JumpIfNotZero(target) => {
                    if self.pop() != 0 {
                        frame.at = target;
                    }
                }
                Operation::Drop => {
                    self.pop();
                }
                Operation::Fail => {
                    if let Some(failure) = &expression.failure {
                        return Err(Error::Expression(ExpressionError::clone(failure)));
                    }
                }
            }
        }
        Ok(None)
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

    /// Reads a place; the answer is an expression when the value has to be computed.
    fn load(
        &mut self,
        expression: &Expression,
        number: usize,
        purpose: Purpose,
    ) -> Result<Option<(Expression, Request)>, Error<V::Error>> {
        let Some(place) = expression.places.get(number) else {
            return Ok(None);
        };
        let subscript = self.resolve(place)?;
        let request = Request {
            place: number,
            subscript,
            purpose,
        };
        let value = match self
            .variables
            .get(&place.name, written(place, subscript))
            .map_err(Error::Variables)?
        {
            Value::Unset => 0,
            Value::Integer(value) => value,
            Value::Text(text) if text.is_empty() => 0,
            Value::Text(text) => match number::parse_integer(&text) {
                Some(value) => value,
                None => return Ok(Some((Expression::parse(&text), request))),
            },
        };
        self.take(expression, value, request)?;
        Ok(None)
    }

    /// Does with a value what it was read for.
    fn take(
        &mut self,
        expression: &Expression,
        value: i64,
        request: Request,
    ) -> Result<(), Error<V::Error>> {
        match request.purpose {
            Purpose::Push => self.stack.push(value),
            Purpose::Hold => {
                self.stack.push(value);
                self.held.push(request.subscript);
            }
            Purpose::Step { delta, is_postfix } => {
                let after = value.wrapping_add(i64::from(delta));
                if let Some(place) = expression.places.get(request.place) {
                    self.store(place, request.subscript, after)?;
                }
                self.stack.push(if is_postfix { value } else { after });
            }
        }
        Ok(())
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
        let expanded = self.variables.expand(text).map_err(Error::Variables)?;
        let parsed = expanded.map(|text| Expression::parse(&text));
        let index = parsed.as_ref().unwrap_or(&element.index);
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
