//! Finds which parameters of functions are arrays, so that a call can make an untouched variable one.

use std::collections::HashMap;

use crate::builtin::Builtin;
use crate::syntax::{Block, Case, Expression, LineSource, Statement, Tree};

/// Returns, for each function and parameter, whether it is used as an array, also through other functions.
pub(super) fn array_parameters(tree: &Tree) -> Vec<Vec<bool>> {
    let places: HashMap<&str, usize> = tree
        .functions
        .iter()
        .enumerate()
        .map(|(place, function)| (function.name.as_str(), place))
        .collect();
    let mut found: Vec<Vec<bool>> = tree
        .functions
        .iter()
        .map(|function| vec![false; function.parameters.len()])
        .collect();
    // Each round carries the knowledge one call further up; it ends when nothing new is found.
    loop {
        let mut news: Vec<(usize, usize)> = Vec::new();
        for (place, function) in tree.functions.iter().enumerate() {
            let mut mark = |name: &Expression| {
                let Expression::Variable(name) = name else {
                    return;
                };
                if let Some(parameter) = function
                    .parameters
                    .iter()
                    .position(|parameter| parameter == name)
                {
                    let is_known = found
                        .get(place)
                        .and_then(|flags| flags.get(parameter))
                        .copied();
                    if is_known == Some(false) {
                        news.push((place, parameter));
                    }
                }
            };
            each_expression(&function.body, &mut |expression| {
                arrays_in(expression, &places, &found, &mut mark);
            });
            each_statement(&function.body, &mut |statement| match statement {
                Statement::ForIn(_, array, _) | Statement::Delete(array) => mark(array),
                _ => {}
            });
        }
        if news.is_empty() {
            return found;
        }
        for (place, parameter) in news {
            if let Some(flag) = found
                .get_mut(place)
                .and_then(|flags| flags.get_mut(parameter))
            {
                *flag = true;
            }
        }
    }
}

/// Returns whether an argument of a function of the language is an array.
pub(super) fn takes_array(builtin: Builtin, argument: usize) -> bool {
    matches!(
        (builtin, argument),
        (Builtin::Split | Builtin::Patsplit, 1 | 3)
            | (Builtin::Match, 2)
            | (Builtin::Asort | Builtin::Asorti, 0 | 1)
    )
}

fn arrays_in(
    expression: &Expression,
    places: &HashMap<&str, usize>,
    found: &[Vec<bool>],
    mark: &mut impl FnMut(&Expression),
) {
    match expression {
        Expression::Index(base, _) => mark(base),
        Expression::In(_, array) => mark(array),
        Expression::Builtin(builtin, arguments) => {
            for (place, argument) in arguments.iter().enumerate() {
                if takes_array(*builtin, place) {
                    mark(argument);
                }
            }
        }
        Expression::Call(name, arguments, _) => {
            let Some(flags) = places
                .get(name.as_str())
                .and_then(|place| found.get(*place))
            else {
                return;
            };
            for (argument, is_array) in arguments.iter().zip(flags) {
                if *is_array {
                    mark(argument);
                }
            }
        }
        _ => {}
    }
}

fn each_statement(block: &Block, visit: &mut impl FnMut(&Statement)) {
    for (statement, _) in block {
        visit(statement);
        match statement {
            Statement::If(_, then, otherwise) => {
                each_statement(then, visit);
                if let Some(otherwise) = otherwise {
                    each_statement(otherwise, visit);
                }
            }
            Statement::While(_, body)
            | Statement::DoWhile(body, _)
            | Statement::ForIn(_, _, body)
            | Statement::Block(body) => each_statement(body, visit),
            Statement::For(first, _, step, body) => {
                for part in [first, step].into_iter().flatten() {
                    visit(part);
                }
                each_statement(body, visit);
            }
            Statement::Switch(_, cases) => cases
                .iter()
                .for_each(|(_, block)| each_statement(block, visit)),
            _ => {}
        }
    }
}

fn each_expression(block: &Block, visit: &mut impl FnMut(&Expression)) {
    each_statement(block, &mut |statement| match statement {
        Statement::Expression(expression) | Statement::Delete(expression) => {
            each_within(expression, visit)
        }
        Statement::Print(values, redirect) | Statement::Printf(values, redirect) => {
            values.iter().for_each(|value| each_within(value, visit));
            if let Some((_, goal)) = redirect {
                each_within(goal, visit);
            }
        }
        Statement::If(condition, ..)
        | Statement::While(condition, _)
        | Statement::DoWhile(_, condition) => {
            each_within(condition, visit);
        }
        Statement::For(_, Some(condition), _, _) => each_within(condition, visit),
        Statement::ForIn(key, array, _) => {
            each_within(key, visit);
            each_within(array, visit);
        }
        Statement::Switch(subject, cases) => {
            each_within(subject, visit);
            for (case, _) in cases {
                if let Case::Is(label) = case {
                    each_within(label, visit);
                }
            }
        }
        Statement::Exit(Some(value)) | Statement::Return(Some(value)) => each_within(value, visit),
        _ => {}
    });
}

/// Visits an expression and all within it.
pub(super) fn each_within(expression: &Expression, visit: &mut impl FnMut(&Expression)) {
    visit(expression);
    match expression {
        Expression::Number(_)
        | Expression::Text(_)
        | Expression::Regex(_)
        | Expression::Variable(_) => {}
        Expression::Field(inner)
        | Expression::Negate(inner)
        | Expression::Plus(inner)
        | Expression::Not(inner)
        | Expression::Plain(inner)
        | Expression::Increment { target: inner, .. } => each_within(inner, visit),
        Expression::Assign(left, right)
        | Expression::Augment(_, left, right)
        | Expression::Binary(_, left, right)
        | Expression::And(left, right)
        | Expression::Or(left, right)
        | Expression::Compare(_, left, right)
        | Expression::Match(left, right) => {
            each_within(left, visit);
            each_within(right, visit);
        }
        Expression::Index(base, list) | Expression::In(list, base) => {
            each_within(base, visit);
            list.iter().for_each(|inner| each_within(inner, visit));
        }
        Expression::Concatenate(list)
        | Expression::List(list)
        | Expression::Call(_, list, _)
        | Expression::CallIndirect(_, list)
        | Expression::Builtin(_, list) => list.iter().for_each(|inner| each_within(inner, visit)),
        Expression::Conditional(condition, then, otherwise) => {
            each_within(condition, visit);
            each_within(then, visit);
            each_within(otherwise, visit);
        }
        Expression::Line(source, target) => {
            match source {
                LineSource::Main => {}
                LineSource::File(name)
                | LineSource::Command(name)
                | LineSource::Coprocess(name) => {
                    each_within(name, visit);
                }
            }
            if let Some(target) = target {
                each_within(target, visit);
            }
        }
    }
}
