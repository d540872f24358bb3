//! Running what was read: variables are looked up by name, a function's own are put back when it ends.

use std::collections::HashMap;

use super::math;
use super::number::Number;
use super::syntax::{Argument, Expression, Function, Place, Statement};

/// More nested calls would overflow the stack.
const DEPTH_MAX: usize = 300;

/// Why statements do not go on.
pub(super) enum Stop {
    Break,
    Continue,
    Halt,
    Return(Number),
    Error(String),
}

type Run<T> = Result<T, Stop>;

fn error<T>(message: impl Into<String>) -> Run<T> {
    Err(Stop::Error(message.into()))
}

pub(super) struct Machine {
    variables: HashMap<String, Number>,
    arrays: HashMap<String, HashMap<u32, Number>>,
    functions: HashMap<String, Function>,
    scale: u32,
    input_base: u32,
    output_base: u32,
    has_library: bool,
    column: usize,
    line_length: usize,
    depth: usize,
}

impl Default for Machine {
    fn default() -> Self {
        let length = std::env::var("BC_LINE_LENGTH").ok();
        let length = length.and_then(|text| text.parse().ok()).unwrap_or(70);
        Self {
            variables: HashMap::new(),
            arrays: HashMap::new(),
            functions: HashMap::new(),
            scale: 0,
            input_base: 10,
            output_base: 10,
            has_library: false,
            column: 0,
            line_length: if length > 0 && length < 3 { 70 } else { length },
            depth: 0,
        }
    }
}

impl Machine {
    pub(super) fn use_library(&mut self) {
        self.has_library = true;
        self.scale = 20;
    }

    fn write(&mut self, text: &str) {
        for one in text.chars() {
            if one == '\n' {
                self.column = 0;
            } else {
                self.column += 1;
                if self.line_length > 0 && self.column == self.line_length - 1 {
                    println!("\\");
                    self.column = 1;
                }
            }
            print!("{one}");
        }
    }

    pub(super) fn block(&mut self, statements: &[Statement]) -> Run<()> {
        statements
            .iter()
            .try_for_each(|statement| self.statement(statement))
    }

    fn is_true(&mut self, condition: &Expression) -> Run<bool> {
        Ok(!self.value(condition)?.is_zero())
    }

    fn statement(&mut self, statement: &Statement) -> Run<()> {
        match statement {
            Statement::Nothing => {}
            Statement::Expression(expression) => {
                let value = self.value(expression)?;
                if !matches!(expression, Expression::Assign(..)) {
                    let text = value.show(self.output_base);
                    self.write(&text);
                    self.write("\n");
                    self.variables.insert("last".to_owned(), value);
                }
            }
            Statement::Text(text) => self.write(text),
            Statement::Print(parts) => {
                for part in parts {
                    let text = match part {
                        Ok(expression) => {
                            let value = self.value(expression)?;
                            let text = value.show(self.output_base);
                            self.variables.insert("last".to_owned(), value);
                            text
                        }
                        Err(text) => unescape(text),
                    };
                    self.write(&text);
                }
            }
            Statement::Block(statements) => self.block(statements)?,
            Statement::If(condition, then, other) => {
                if self.is_true(condition)? {
                    self.statement(then)?;
                } else if let Some(other) = other {
                    self.statement(other)?;
                }
            }
            Statement::While(condition, body) => {
                while self.is_true(condition)? {
                    match self.statement(body) {
                        Err(Stop::Break) => break,
                        Err(Stop::Continue) => {}
                        outcome => outcome?,
                    }
                }
            }
            Statement::For([first, condition, step], body) => {
                if let Some(first) = first {
                    self.value(first)?;
                }
                while condition
                    .as_ref()
                    .map_or(Ok(true), |condition| self.is_true(condition))?
                {
                    match self.statement(body) {
                        Err(Stop::Break) => break,
                        Err(Stop::Continue) => {}
                        outcome => outcome?,
                    }
                    if let Some(step) = step {
                        self.value(step)?;
                    }
                }
            }
            Statement::Break => return Err(Stop::Break),
            Statement::Continue => return Err(Stop::Continue),
            Statement::Halt => return Err(Stop::Halt),
            Statement::Return(value) => {
                let value = value
                    .as_ref()
                    .map_or(Ok(Number::from(0)), |value| self.value(value))?;
                return Err(Stop::Return(value));
            }
            Statement::Define(name, function) => {
                self.functions.insert(name.clone(), function.clone());
            }
        }
        Ok(())
    }

    fn value(&mut self, expression: &Expression) -> Run<Number> {
        Ok(match expression {
            Expression::Constant(text) => Number::read(text, self.input_base),
            Expression::Group(inner) => self.value(inner)?,
            Expression::Place(place) => self.load(place)?,
            Expression::Negate(inner) => self.value(inner)?.negated(),
            Expression::Not(inner) => Number::from(i64::from(!self.is_true(inner)?)),
            Expression::Assign(place, operator, value) => {
                let mut value = self.value(value)?;
                if let Some(operator) = operator {
                    let old = self.load(place)?;
                    value = self.compute(&operator.to_string(), &old, &value)?;
                }
                self.store(place, value.clone())?;
                value
            }
            Expression::Step(place, by, is_old) => {
                let old = self.load(place)?;
                let new = old.plus(&Number::from(*by));
                self.store(place, new.clone())?;
                if *is_old { old } else { new }
            }
            Expression::Binary(sign, left, right) => {
                let left = self.value(left)?;
                let right = self.value(right)?;
                self.compute(sign, &left, &right)?
            }
            Expression::Call(name, arguments) => self.call(name, arguments)?,
        })
    }

    fn compute(&self, sign: &str, left: &Number, right: &Number) -> Run<Number> {
        let order = left.compare(right);
        let truth = match sign {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "&&" => !left.is_zero() && !right.is_zero(),
            "||" => !left.is_zero() || !right.is_zero(),
            "+" => return Ok(left.plus(right)),
            "-" => return Ok(left.plus(&right.negated())),
            "*" => return Ok(left.times(right, self.scale)),
            "^" => {
                return left
                    .power(right, self.scale)
                    .ok_or_else(|| Stop::Error("exponent too large in raise".to_owned()));
            }
            _ => {
                let result = match sign {
                    "/" => left.over(right, self.scale),
                    _ => left.modulo(right, self.scale),
                };
                let words = if sign == "/" {
                    "Divide by zero"
                } else {
                    "Modulo by zero"
                };
                return result.ok_or_else(|| Stop::Error(words.to_owned()));
            }
        };
        Ok(Number::from(i64::from(truth)))
    }

    fn index(&mut self, index: &Expression) -> Run<u32> {
        match self.value(index)?.small() {
            Some(index) => Ok(index),
            None => error("Array subscript out of bounds."),
        }
    }

    fn load(&mut self, place: &Place) -> Run<Number> {
        Ok(match place {
            Place::Element(name, index) => {
                let index = self.index(index)?;
                let found = self.arrays.get(name).and_then(|array| array.get(&index));
                found.cloned().unwrap_or_else(|| Number::from(0))
            }
            Place::Variable(name) => match name.as_str() {
                "scale" => Number::from(i64::from(self.scale)),
                "ibase" => Number::from(i64::from(self.input_base)),
                "obase" => Number::from(i64::from(self.output_base)),
                _ => self
                    .variables
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| Number::from(0)),
            },
        })
    }

    fn store(&mut self, place: &Place, value: Number) -> Run<()> {
        match place {
            Place::Element(name, index) => {
                let index = self.index(index)?;
                self.arrays
                    .entry(name.clone())
                    .or_default()
                    .insert(index, value);
            }
            Place::Variable(name) => match (name.as_str(), value.small()) {
                ("scale", Some(scale)) => self.scale = scale,
                ("ibase", base) => self.input_base = base.unwrap_or(2).clamp(2, 36),
                ("obase", base) => self.output_base = base.unwrap_or(2).max(2),
                ("scale", None) => return error("scale is out of range"),
                _ => {
                    self.variables.insert(name.clone(), value);
                }
            },
        }
        Ok(())
    }

    fn call(&mut self, name: &str, arguments: &[Argument]) -> Run<Number> {
        let Some(function) = self.functions.get(name).cloned() else {
            let [Argument::Value(argument)] = arguments else {
                return error(format!("Function {name} not defined."));
            };
            let x = self.value(argument)?;
            return match name {
                "length" => Ok(Number::from(i64::from(x.length()))),
                "scale" => Ok(Number::from(i64::from(x.scale))),
                "sqrt" => x
                    .root(self.scale)
                    .map_or_else(|| error("Square root of a negative number"), Ok),
                _ => match math::function(name, &x, self.scale).filter(|_| self.has_library) {
                    Some(value) => Ok(value),
                    None => error(format!("Function {name} not defined.")),
                },
            };
        };
        if function.parameters.len() != arguments.len() {
            return error("Parameter number mismatch");
        }
        if self.depth >= DEPTH_MAX {
            return error("function calls are nested too deeply");
        }
        let mut values = Vec::new();
        let mut arrays = Vec::new();
        for ((parameter, _), argument) in function.parameters.iter().zip(arguments) {
            match argument {
                Argument::Value(value) => values.push((parameter.clone(), self.value(value)?)),
                Argument::Array(array) => {
                    arrays.push((
                        parameter.clone(),
                        self.arrays.get(array).cloned().unwrap_or_default(),
                    ));
                }
            }
        }
        let own: Vec<&(String, bool)> =
            function.parameters.iter().chain(&function.locals).collect();
        let saved: Vec<_> = own
            .iter()
            .map(|(name, is_array)| match is_array {
                true => (None, self.arrays.remove(name)),
                false => (self.variables.remove(name), None),
            })
            .collect();
        self.variables.extend(values);
        self.arrays.extend(arrays);
        let base = self.input_base;
        self.depth += 1;
        let outcome = self.block(&function.body);
        self.depth -= 1;
        self.input_base = base;
        for ((name, is_array), (value, array)) in own.into_iter().zip(saved) {
            if *is_array {
                self.arrays.remove(name);
                self.arrays.extend(array.map(|array| (name.clone(), array)));
            } else {
                self.variables.remove(name);
                self.variables
                    .extend(value.map(|value| (name.clone(), value)));
            }
        }
        match outcome {
            Err(Stop::Return(value)) => Ok(value),
            Ok(()) => Ok(Number::from(0)),
            Err(stop) => Err(stop),
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(one) = letters.next() {
        if one != '\\' {
            out.push(one);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('r') => out.push('\r'),
            Some('q') => out.push('"'),
            Some('\\') => out.push('\\'),
            _ => {}
        }
    }
    out
}
