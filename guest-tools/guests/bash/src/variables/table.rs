//! The table of variables with bash's dynamic scopes.
//!
//! The table holds what each name means now; a function's scope remembers the bindings that its locals hide and
//! puts them back when it ends (shallow binding), so a look-up costs the same at any depth. A clone shares
//! everything and copies what it changes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::value::{Attributes, Value, Variable};

/// A variable's name.
pub type Name = Rc<[u8]>;

/// Hashes short names quickly; the table is not open to strangers' keys in bulk.
#[derive(Debug, Default, Clone, Copy)]
pub struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk
                .iter()
                .fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

/// A map by name.
pub type NameMap<T> = HashMap<Name, T, BuildHasherDefault<NameHasher>>;

/// What a scope hides while it lasts.
#[derive(Debug, Clone, Default)]
struct Scope {
    hidden: Vec<(Name, Option<Rc<Variable>>)>,
    /// Whether it is that of the assignments before a builtin or a program, in which no locals live.
    is_temporary: bool,
    /// What those assignments bound, which ends with the scope.
    bound: Vec<Name>,
}

/// All variables.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    table: Rc<NameMap<Rc<Variable>>>,
    scopes: Vec<Rc<Scope>>,
    /// Counts changes that the environment of programs or a saved state may depend on.
    changes: u64,
}

impl Variables {
    /// Returns the variable that `name` means now, without following references.
    pub fn get(&self, name: &[u8]) -> Option<&Variable> {
        self.table.get(name).map(|variable| &**variable)
    }

    /// Returns the variable for changing it.
    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut Variable> {
        self.changes += 1;
        let table = Rc::make_mut(&mut self.table);
        table.get_mut(name).map(Rc::make_mut)
    }

    /// Returns the variable for changing it; makes an unset global when there is none.
    pub fn entry(&mut self, name: &[u8]) -> &mut Variable {
        self.changes += 1;
        let table = Rc::make_mut(&mut self.table);
        if !table.contains_key(name) {
            table.insert(Name::from(name), Rc::default());
        }
        Rc::make_mut(table.entry(Name::from(name)).or_default())
    }

    /// Gives `name` a variable in the scope that binds it now, or a global one.
    pub fn insert(&mut self, name: &[u8], variable: Variable) {
        self.changes += 1;
        Rc::make_mut(&mut self.table).insert(Name::from(name), Rc::new(variable));
    }

    /// Returns how many changes there were.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Returns the number of scopes that are open.
    pub fn depth(&self) -> u32 {
        u32::try_from(self.scopes.len()).unwrap_or(u32::MAX)
    }

    /// Opens a scope.
    pub fn push_scope(&mut self) {
        self.scopes.push(Rc::default());
    }

    /// Opens a scope for the assignments before a command.
    pub fn push_temporary_scope(&mut self) {
        self.scopes.push(Rc::new(Scope {
            is_temporary: true,
            ..Scope::default()
        }));
    }

    /// Binds `name` in the innermost scope for as long as a command runs.
    pub fn bind_temporary(&mut self, name: &[u8]) -> &mut Variable {
        let variable = self.bind_local(name);
        variable.is_temporary = true;
        if let Some(scope) = self.scopes.last_mut() {
            Rc::make_mut(scope).bound.push(Name::from(name));
        }
        self.entry(name)
    }

    /// Lets what was bound for as long as a command runs stay after it.
    pub fn keep(&mut self, name: &[u8]) {
        let Some(variable) = self.get_mut(name) else {
            return;
        };
        variable.is_temporary = false;
        let place = usize::try_from(variable.scope).unwrap_or(usize::MAX);
        if let Some(scope) = place
            .checked_sub(1)
            .and_then(|place| self.scopes.get_mut(place))
        {
            Rc::make_mut(scope).bound.retain(|bound| **bound != *name);
        }
    }

    /// Makes the innermost scope that of a function which was called with assignments before it.
    pub fn make_function_scope(&mut self) {
        if let Some(scope) = self.scopes.last_mut() {
            Rc::make_mut(scope).is_temporary = false;
        }
    }

    /// Closes a scope of assignments before a command. What the command itself declared belongs to the scope
    /// around it. Returns the names that changed.
    pub fn pop_temporary_scope(&mut self) -> Vec<Name> {
        let depth = self.depth();
        let Some(scope) = self.scopes.pop() else {
            return Vec::new();
        };
        self.changes += 1;
        let scope = Rc::try_unwrap(scope).unwrap_or_else(|shared| (*shared).clone());
        let table = Rc::make_mut(&mut self.table);
        let mut names = Vec::with_capacity(scope.hidden.len());
        for (name, hidden) in scope.hidden.into_iter().rev() {
            names.push(Rc::clone(&name));
            match table.get_mut(&name) {
                Some(current) if current.scope == depth && !scope.bound.contains(&name) => {
                    Rc::make_mut(current).scope = depth - 1;
                    let is_known = hidden
                        .as_ref()
                        .is_some_and(|hidden| hidden.scope == depth - 1);
                    if let Some(outer) = self.scopes.last_mut().filter(|_| !is_known) {
                        Rc::make_mut(outer).hidden.push((name, hidden));
                    }
                }
                _ => {
                    match hidden {
                        Some(variable) => table.insert(name, variable),
                        None => table.remove(&name),
                    };
                }
            }
        }
        names
    }

    /// Returns the depth of the running function's scope; 0 outside of functions.
    pub fn local_depth(&self) -> u32 {
        let place = self.scopes.iter().rposition(|scope| !scope.is_temporary);
        place.map_or(0, |place| u32::try_from(place + 1).unwrap_or(u32::MAX))
    }

    /// Closes the innermost scope: what its bindings hid is back. Returns the names that changed.
    pub fn pop_scope(&mut self) -> Vec<Name> {
        let Some(scope) = self.scopes.pop() else {
            return Vec::new();
        };
        let scope = Rc::try_unwrap(scope).unwrap_or_else(|shared| (*shared).clone());
        if scope.hidden.is_empty() {
            return Vec::new();
        }
        self.changes += 1;
        let table = Rc::make_mut(&mut self.table);
        let mut names = Vec::with_capacity(scope.hidden.len());
        for (name, hidden) in scope.hidden.into_iter().rev() {
            match hidden {
                Some(variable) => table.insert(Rc::clone(&name), variable),
                None => table.remove(&name),
            };
            names.push(name);
        }
        names
    }

    /// Returns whether the running function's scope binds `name`.
    pub fn is_local(&self, name: &[u8]) -> bool {
        let depth = self.local_depth();
        depth > 0
            && self
                .get(name)
                .is_some_and(|variable| variable.scope >= depth)
    }

    /// Binds `name` in the innermost scope (a global when there is none), hiding an outer binding.
    /// Returns the binding, fresh unless this scope had one.
    pub fn bind_local(&mut self, name: &[u8]) -> &mut Variable {
        self.bind_at(name, self.depth())
    }

    fn bind_at(&mut self, name: &[u8], depth: u32) -> &mut Variable {
        let bound = self.get(name).map(|variable| variable.scope);
        if depth > 0 && bound != Some(depth) {
            self.changes += 1;
            let table = Rc::make_mut(&mut self.table);
            let key = Name::from(name);
            let fresh = Variable {
                scope: depth,
                ..Variable::default()
            };
            let hidden = table.insert(Rc::clone(&key), Rc::new(fresh));
            if let Some(scope) = self.scopes.last_mut() {
                Rc::make_mut(scope).hidden.push((key, hidden));
            }
        }
        self.entry(name)
    }

    /// Returns the binding that the innermost scope's local hides.
    pub fn hidden_by_local(&self, name: &[u8]) -> Option<&Variable> {
        let scope = self.scopes.last()?;
        let (_, hidden) = scope.hidden.iter().rev().find(|(key, _)| **key == *name)?;
        hidden.as_deref()
    }

    /// Changes the global binding of `name`, even while locals hide it.
    pub fn with_global<T>(&mut self, name: &[u8], change: impl FnOnce(&mut Variable) -> T) -> T {
        self.changes += 1;
        for scope in &mut self.scopes {
            if !scope.hidden.iter().any(|(key, _)| **key == *name) {
                continue;
            }
            let scope = Rc::make_mut(scope);
            if let Some((_, hidden)) = scope.hidden.iter_mut().find(|(key, _)| **key == *name) {
                return change(Rc::make_mut(hidden.get_or_insert_with(Rc::default)));
            }
        }
        change(self.entry(name))
    }

    /// Returns the global binding of `name`.
    pub fn global(&self, name: &[u8]) -> Option<&Variable> {
        for scope in &self.scopes {
            if let Some((_, hidden)) = scope.hidden.iter().find(|(key, _)| **key == *name) {
                return hidden.as_deref();
            }
        }
        self.get(name)
    }

    /// Removes what `name` means now. A local of the running function stays known as local but unset; one of a
    /// caller uncovers what it hid.
    pub fn unset(&mut self, name: &[u8]) {
        self.changes += 1;
        let Some((scope, is_temporary)) = self
            .get(name)
            .map(|variable| (variable.scope, variable.is_temporary))
        else {
            return;
        };
        if !is_temporary && scope > 0 && scope >= self.local_depth() {
            let attributes = self
                .get(name)
                .map(|variable| variable.attributes)
                .unwrap_or_default();
            let fresh = Variable {
                scope,
                attributes: if attributes.has(Attributes::EXPORT) {
                    Attributes::EXPORT
                } else {
                    Attributes::NONE
                },
                ..Variable::default()
            };
            self.insert(name, fresh);
            return;
        }
        let table = Rc::make_mut(&mut self.table);
        if scope == 0 {
            table.remove(name);
            return;
        }
        let place = usize::try_from(scope - 1).unwrap_or(usize::MAX);
        let mut uncovered = None;
        if let Some(owner) = self.scopes.get_mut(place) {
            let owner = Rc::make_mut(owner);
            if let Some(at) = owner.hidden.iter().rposition(|(key, _)| **key == *name) {
                uncovered = owner.hidden.remove(at).1;
            }
        }
        match uncovered {
            Some(variable) => table.insert(Name::from(name), variable),
            None => table.remove(name),
        };
    }

    /// Iterates over all variables, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Variable)> {
        self.table
            .iter()
            .map(|(name, variable)| (name, &**variable))
    }

    /// Returns the variables in the order of their names.
    pub fn sorted(&self) -> Vec<(&Name, &Variable)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by(|left, right| left.0.cmp(right.0));
        all
    }

    /// Returns the names that the innermost scope binds, sorted.
    pub fn locals(&self) -> Vec<Name> {
        let depth = self.local_depth();
        let mut names: Vec<Name> = self
            .iter()
            .filter(|(_, variable)| depth > 0 && variable.scope >= depth)
            .map(|(name, _)| Rc::clone(name))
            .collect();
        names.sort();
        names
    }

    /// Returns whether `name` has a value other than none.
    pub fn has_value(&self, name: &[u8]) -> bool {
        self.get(name)
            .is_some_and(|variable| !matches!(variable.value, Value::Unset))
    }
}
