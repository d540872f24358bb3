//! Runs expressions: each takes the nodes at hand and gives nodes, and those in a document stay in it, so that an
//! assignment to what a path has found changes the document.

use std::collections::HashMap;
use std::rc::Rc;

use crate::mistake::{Mistake, Outcome};
use crate::node::{Id, Kind, Style, Tree};
use crate::syntax::{Expression, Operator, Piece};
use crate::{arithmetic, assign, functions, merge, path};

/// What is known while an expression runs, besides its input.
#[derive(Clone, Default)]
pub struct Scope {
    pub variables: Rc<HashMap<String, Vec<Id>>>,
    /// How dates are written, in Go's way.
    pub layout: Option<Rc<str>>,
    /// All documents are evaluated in one go.
    pub is_together: bool,
}

impl Scope {
    /// Returns a scope with one more variable.
    pub fn with(&self, name: &str, nodes: Vec<Id>) -> Self {
        let mut variables = (*self.variables).clone();
        variables.insert(name.to_owned(), nodes);
        Self {
            variables: Rc::new(variables),
            ..self.clone()
        }
    }
}

/// The documents and what runs on them.
#[derive(Default)]
pub struct Machine {
    pub tree: Tree,
}

impl Machine {
    /// Evaluates an expression on each of the nodes; on all in one go where that is how the documents were read.
    fn each(
        &mut self,
        nodes: &[Id],
        scope: &Scope,
        mut run: impl FnMut(&mut Self, &[Id]) -> Outcome<Vec<Id>>,
    ) -> Outcome<Vec<Id>> {
        let is_together = scope.is_together
            && nodes.len() > 1
            && nodes
                .iter()
                .all(|node| self.tree[*node].parent.is_none() && self.tree[*node].line > 0);
        if is_together {
            return run(self, nodes);
        }
        let mut all = Vec::new();
        for node in nodes {
            all.extend(run(self, &[*node])?);
        }
        Ok(all)
    }

    /// Evaluates an expression.
    pub fn evaluate(
        &mut self,
        expression: &Expression,
        nodes: &[Id],
        scope: &Scope,
    ) -> Outcome<Vec<Id>> {
        match expression {
            Expression::Itself => Ok(nodes.to_vec()),
            Expression::Literal(tag, text) => {
                Ok(nodes.iter().map(|_| self.tree.scalar(tag, text)).collect())
            }
            Expression::Interpolated(pieces) => self.each(nodes, scope, |machine, nodes| {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(part) => text.push_str(part),
                        Piece::Expression(inner) => {
                            for id in machine.evaluate(inner, nodes, scope)? {
                                text.push_str(&functions::to_text(&mut machine.tree, id)?);
                            }
                        }
                    }
                }
                Ok(vec![machine.tree.text(&text)])
            }),
            Expression::Field(name, is_optional) => {
                let mut all = Vec::new();
                for node in nodes {
                    path::field(&mut self.tree, *node, name, *is_optional, &mut all)?;
                }
                Ok(all)
            }
            Expression::Index(base, index, is_optional) => {
                self.each(nodes, scope, |machine, nodes| {
                    let bases = machine.evaluate(base, nodes, scope)?;
                    let mut all = Vec::new();
                    let Some(index) = index else {
                        bases
                            .iter()
                            .for_each(|base| path::splat(&machine.tree, *base, &mut all));
                        return Ok(all);
                    };
                    let indices = machine.evaluate(index, nodes, scope)?;
                    for base in bases {
                        for index in &indices {
                            path::index(&mut machine.tree, base, *index, *is_optional, &mut all)?;
                        }
                    }
                    Ok(all)
                })
            }
            Expression::Slice(base, from, to) => self.each(nodes, scope, |machine, nodes| {
                let from = machine.bound(from.as_deref(), nodes, scope)?;
                let to = machine.bound(to.as_deref(), nodes, scope)?;
                let bases = machine.evaluate(base, nodes, scope)?;
                bases
                    .into_iter()
                    .map(|base| path::slice(&mut machine.tree, base, from, to))
                    .collect()
            }),
            Expression::Recurse(with_keys) => {
                let mut all = Vec::new();
                nodes
                    .iter()
                    .for_each(|node| path::descend(&self.tree, *node, *with_keys, &mut all));
                Ok(all)
            }
            Expression::Variable(name) => match scope.variables.get(name) {
                Some(nodes) => Ok(nodes.clone()),
                None if name == "ENV" => {
                    let map = self.tree.map();
                    for (name, value) in std::env::vars_os() {
                        let value = self.tree.text(&value.to_string_lossy());
                        self.tree.put_text(map, &name.to_string_lossy(), value);
                    }
                    Ok(vec![map])
                }
                None => Err(Mistake::new(format!("variable '{name}' not defined"))),
            },
            Expression::Pipe(left, right) => {
                let nodes = self.evaluate(left, nodes, scope)?;
                self.evaluate(right, &nodes, scope)
            }
            Expression::Union(left, right) => {
                let mut all = self.evaluate(left, nodes, scope)?;
                let right = self.evaluate(right, nodes, scope)?;
                // Two changes to one document give it once.
                if !(all == nodes && right == nodes && is_change(expression)) {
                    all.extend(right);
                }
                Ok(all)
            }
            Expression::Block(left, right) => {
                self.evaluate(left, nodes, scope)?;
                self.evaluate(right, nodes, scope)
            }
            Expression::Binary(operator, left, right) => {
                self.each(nodes, scope, |machine, nodes| {
                    machine.binary(*operator, left, right, nodes, scope)
                })
            }
            Expression::Assign {
                target,
                value,
                is_relative,
                clobbers_tags,
            } => {
                if *is_relative {
                    let targets = self.evaluate(target, nodes, scope)?;
                    for target in targets.into_iter().rev() {
                        if let Some(new) = self.evaluate(value, &[target], scope)?.first() {
                            assign::update(&mut self.tree, target, *new, *clobbers_tags);
                        }
                    }
                } else {
                    self.each(nodes, scope, |machine, nodes| {
                        let targets = machine.evaluate(target, nodes, scope)?;
                        let values = machine.evaluate(value, nodes, scope)?;
                        for target in targets {
                            for new in &values {
                                assign::update(&mut machine.tree, target, *new, *clobbers_tags);
                            }
                        }
                        Ok(Vec::new())
                    })?;
                }
                Ok(nodes.to_vec())
            }
            Expression::Update(operator, target, value) => {
                self.each(nodes, scope, |machine, nodes| {
                    let targets = machine.evaluate(target, nodes, scope)?;
                    let values = machine.evaluate(value, nodes, scope)?;
                    for target in targets {
                        for value in &values {
                            let new = machine.apply(*operator, target, *value)?;
                            assign::update(&mut machine.tree, target, new, false);
                        }
                    }
                    Ok(Vec::new())
                })?;
                Ok(nodes.to_vec())
            }
            Expression::AssignAttribute {
                target,
                attribute,
                value,
                is_relative,
            } => {
                let shared = if *is_relative {
                    None
                } else {
                    self.evaluate(value, nodes, scope)?.first().copied()
                };
                for target in self.evaluate(target, nodes, scope)? {
                    let value = match shared {
                        Some(value) => Some(value),
                        None => self.evaluate(value, &[target], scope)?.first().copied(),
                    };
                    if let Some(value) = value {
                        assign::set_attribute(&mut self.tree, target, *attribute, value)?;
                    }
                }
                Ok(nodes.to_vec())
            }
            Expression::Attribute(attribute) => Ok(nodes
                .iter()
                .map(|node| assign::get_attribute(&mut self.tree, *node, *attribute))
                .collect()),
            Expression::Bind(source, name, is_ref, body) => {
                self.each(nodes, scope, |machine, nodes| {
                    let mut all = Vec::new();
                    let values = machine.evaluate(source, nodes, scope)?;
                    if *is_ref || values.is_empty() {
                        return machine.evaluate(body, nodes, &scope.with(name, values));
                    }
                    for value in values {
                        let copy = machine.tree.copy(value);
                        let new = machine.evaluate(body, nodes, &scope.with(name, vec![copy]))?;
                        // A change to the document is made for every value; the document comes out once.
                        if !(new == nodes && all == nodes) {
                            all.extend(new);
                        }
                    }
                    Ok(all)
                })
            }
            Expression::Reduce(source, name, start, step) => {
                let items = self.evaluate(source, nodes, scope)?;
                let first = nodes.first().copied().unwrap_or_else(|| self.tree.null());
                let mut state = self.evaluate(start, &[first], scope)?;
                for item in items {
                    state = self.evaluate(step, &state, &scope.with(name, vec![item]))?;
                }
                Ok(state)
            }
            Expression::Collect(None) => Ok(nodes.iter().map(|_| self.tree.seq()).collect()),
            Expression::Collect(Some(inner)) => {
                if nodes.is_empty() {
                    return Ok(vec![self.tree.seq()]);
                }
                self.each(nodes, scope, |machine, nodes| {
                    let items = machine.evaluate(inner, nodes, scope)?;
                    Ok(vec![functions::collect(&mut machine.tree, &items)])
                })
            }
            Expression::Object(pairs) => self.each(nodes, scope, |machine, nodes| {
                machine.object(pairs, nodes, scope)
            }),
            Expression::Choice(condition, then, otherwise) => {
                self.each(nodes, scope, |machine, nodes| {
                    let mut all = Vec::new();
                    for id in machine.evaluate(condition, nodes, scope)? {
                        if machine.tree[id].is_true() {
                            all.extend(machine.evaluate(then, nodes, scope)?);
                        } else if let Some(otherwise) = otherwise {
                            all.extend(machine.evaluate(otherwise, nodes, scope)?);
                        } else {
                            all.extend_from_slice(nodes);
                        }
                    }
                    Ok(all)
                })
            }
            Expression::Call(name, arguments) => {
                functions::call(self, name, arguments, nodes, scope)
            }
        }
    }

    /// Evaluates to one whole number.
    fn bound(
        &mut self,
        bound: Option<&Expression>,
        nodes: &[Id],
        scope: &Scope,
    ) -> Outcome<Option<i64>> {
        let Some(bound) = bound else { return Ok(None) };
        let Some(id) = self.evaluate(bound, nodes, scope)?.first().copied() else {
            return Ok(None);
        };
        path::integer(&self.tree, id).map(Some)
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        nodes: &[Id],
        scope: &Scope,
    ) -> Outcome<Vec<Id>> {
        let mut lefts = self.evaluate(left, nodes, scope)?;
        let is_needed = !matches!(
            operator,
            Operator::Multiply(_) | Operator::Divide | Operator::Remainder
        );
        if lefts.is_empty() && is_needed {
            lefts.push(self.tree.null());
        }
        let mut all = Vec::new();
        for left in lefts {
            // The right side of these is not asked for if the left one decides.
            let decided = match operator {
                Operator::Alternative => self.tree[left].is_true().then_some(left),
                Operator::And => (!self.tree[left].is_true()).then(|| self.tree.truth(false)),
                Operator::Or => self.tree[left].is_true().then(|| self.tree.truth(true)),
                _ => None,
            };
            if let Some(decided) = decided {
                all.push(decided);
                continue;
            }
            let mut rights = self.evaluate(right, nodes, scope)?;
            if rights.is_empty() && is_needed {
                rights.push(self.tree.null());
            }
            for right in rights {
                let new = self.apply(operator, left, right)?;
                all.push(new);
            }
        }
        Ok(all)
    }

    fn apply(&mut self, operator: Operator, left: Id, right: Id) -> Outcome<Id> {
        let tree = &mut self.tree;
        match operator {
            Operator::Add => arithmetic::add(tree, left, right),
            Operator::Subtract => arithmetic::subtract(tree, left, right),
            Operator::Multiply(flags) => merge::multiply(tree, left, right, flags),
            Operator::Divide => arithmetic::divide(tree, left, right),
            Operator::Remainder => arithmetic::remainder(tree, left, right),
            Operator::Alternative => Ok(right),
            Operator::And | Operator::Or => {
                let is_true = tree[right].is_true();
                Ok(tree.truth(is_true))
            }
            Operator::Equal | Operator::Unequal => {
                let is_equal = path::is_like(tree, left, right);
                Ok(tree.truth(is_equal == (operator == Operator::Equal)))
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => arithmetic::compare(tree, operator, left, right),
        }
    }

    fn object(
        &mut self,
        pairs: &[(Expression, Expression)],
        nodes: &[Id],
        scope: &Scope,
    ) -> Outcome<Vec<Id>> {
        let mut all = vec![self.tree.map()];
        for (key, value) in pairs {
            let keys = self.evaluate(key, nodes, scope)?;
            let values = self.evaluate(value, nodes, scope)?;
            let mut next = Vec::new();
            for map in all {
                for key in &keys {
                    for value in &values {
                        let map = if keys.len() * values.len() > 1 {
                            self.tree.copy(map)
                        } else {
                            map
                        };
                        let key = self.tree.copy(*key);
                        let value = self.tree.copy(*value);
                        self.tree[key].is_pending = false;
                        let text = self.tree[key].value.clone();
                        if let Some(old) = self.tree.get(map, &text) {
                            assign::update(&mut self.tree, old, value, true);
                        } else {
                            self.tree.put(map, key, value);
                        }
                        next.push(map);
                    }
                }
            }
            all = next;
        }
        for map in &all {
            // A map made of flow parts alone is no flow map.
            self.tree[*map].style = Style::Plain;
        }
        Ok(all)
    }

    /// Returns whether a condition holds for a node.
    pub fn holds(&mut self, condition: &Expression, node: Id, scope: &Scope) -> Outcome<bool> {
        let results = self.evaluate(condition, &[node], scope)?;
        Ok(results
            .first()
            .is_some_and(|first| self.tree[*first].is_true()))
    }

    /// Returns the first value for a node.
    pub fn first(&mut self, expression: &Expression, node: Id, scope: &Scope) -> Outcome<Id> {
        let results = self.evaluate(expression, &[node], scope)?;
        Ok(results.first().copied().unwrap_or_else(|| self.tree.null()))
    }

    /// Returns the text of the first value for a node.
    pub fn first_text(
        &mut self,
        expression: &Expression,
        node: Id,
        scope: &Scope,
    ) -> Outcome<String> {
        let id = self.first(expression, node, scope)?;
        let id = self.tree.follow(id);
        if self.tree[id].kind != Kind::Scalar {
            return Err(Mistake::new(format!(
                "expected a string, got {}",
                self.tree[id].tag
            )));
        }
        Ok(self.tree[id].value.clone())
    }
}

fn is_change(expression: &Expression) -> bool {
    match expression {
        Expression::Union(left, right) => is_change(left) && is_change(right),
        Expression::Assign { .. } | Expression::Update(..) | Expression::AssignAttribute { .. } => {
            true
        }
        Expression::Call(name, _) => name == "del" || name == "with",
        _ => false,
    }
}
