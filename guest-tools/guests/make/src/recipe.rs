//! Recipes made ready: the variables of the target, its automatic ones, and the lines as commands.

use std::collections::HashSet;
use std::rc::Rc;

use crate::file::Recipe;
use crate::maker::Maker;
use crate::place::{Outcome, Place};
use crate::variable::{Frame, Origin, Variable, Variables};
use crate::words::{is_blank, join};

/// A command of a recipe.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) text: Vec<u8>,
    /// Where its line stands.
    pub(crate) place: Option<Place>,
    pub(crate) silent: bool,
    /// Its failure does not matter.
    pub(crate) ignores: bool,
    /// It runs also where commands are only printed.
    pub(crate) always: bool,
}

impl Command {
    /// Takes the marks before a command and returns what stands behind them.
    fn take_marks<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let mut rest = text;
        while let Some((first, behind)) = rest.split_first() {
            match first {
                b'@' => self.silent = true,
                b'-' => self.ignores = true,
                b'+' => self.always = true,
                byte if is_blank(*byte) => {}
                _ => break,
            }
            rest = behind;
        }
        rest
    }
}

impl Maker {
    /// Returns the frames of a target: those of what needs it outside, its own inside.
    fn frames_of(&self, number: usize) -> Vec<Frame> {
        let mut chain = vec![number];
        let mut seen = HashSet::from([number]);
        let mut next = self.files.get(number).and_then(|file| file.parent);
        while let Some(parent) = next.filter(|parent| seen.insert(*parent)) {
            chain.push(parent);
            next = self.files.get(parent).and_then(|file| file.parent);
        }
        let mut frames = Vec::new();
        for ancestor in chain.into_iter().rev() {
            let name = self.name(ancestor);
            let mut patterns: Vec<(usize, usize)> = self
                .pattern_variables
                .iter()
                .enumerate()
                .filter_map(|(place, known)| Some((known.pattern.stem(name)?.len(), place)))
                .collect();
            patterns.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
            frames.extend(patterns.into_iter().map(|(_, place)| Frame::Pattern(place)));
            let has_variables = self
                .files
                .get(ancestor)
                .is_some_and(|file| !file.variables.is_empty());
            if has_variables {
                frames.push(Frame::Target(ancestor, ancestor == number));
            }
        }
        frames
    }

    /// Expands prerequisites that are expanded once more.
    pub(crate) fn expand_for(&mut self, name: &[u8], stem: &[u8], text: &[u8]) -> Outcome<Vec<u8>> {
        let number = self.file(name);
        let mut local = Variables::new();
        put(&mut local, "@", name.to_vec());
        put(&mut local, "*", stem.to_vec());
        let needs: Vec<Vec<u8>> = self
            .files
            .get(number)
            .and_then(|file| file.bodies.first())
            .map(|body| {
                body.dependencies
                    .iter()
                    .map(|need| self.path(need.file).to_vec())
                    .collect()
            })
            .unwrap_or_default();
        put(&mut local, "<", needs.first().cloned().unwrap_or_default());
        put(&mut local, "^", join(&needs));
        put(&mut local, "+", join(&needs));
        self.frames = self.frames_of(number);
        self.frames.push(Frame::Local(local));
        let expanded = self.expand(text);
        self.frames.clear();
        expanded
    }

    /// Returns the automatic variables of a target.
    fn automatic(&self, number: usize, body: usize) -> Variables {
        let mut local = Variables::new();
        let Some(file) = self.files.get(number) else {
            return local;
        };
        let needs = file
            .bodies
            .get(body)
            .map(|body| body.dependencies.as_slice())
            .unwrap_or_default();
        let normal: Vec<&[u8]> = needs
            .iter()
            .filter(|need| !need.order_only)
            .map(|need| self.path(need.file))
            .collect();
        let unique = |names: &mut dyn Iterator<Item = &'_ [u8]>| {
            let mut seen = HashSet::new();
            let mut kept: Vec<Vec<u8>> = Vec::new();
            for name in names {
                if seen.insert(name.to_vec()) {
                    kept.push(name.to_vec());
                }
            }
            join(kept)
        };
        put(&mut local, "@", self.path(number).to_vec());
        put(&mut local, "%", Vec::new());
        put(
            &mut local,
            "<",
            normal.first().map(|name| name.to_vec()).unwrap_or_default(),
        );
        put(&mut local, "^", unique(&mut normal.iter().copied()));
        put(&mut local, "+", join(&normal));
        let mut order = needs
            .iter()
            .filter(|need| need.order_only)
            .map(|need| self.path(need.file))
            .filter(|name| !normal.contains(name));
        put(&mut local, "|", unique(&mut order));
        let mut changed = needs
            .iter()
            .filter(|need| need.changed && !need.order_only)
            .map(|need| self.path(need.file));
        put(&mut local, "?", unique(&mut changed));
        let stem = file
            .bodies
            .get(body)
            .and_then(|body| body.stem.clone())
            .unwrap_or_else(|| {
                // In an explicit rule: the name without a known suffix.
                let suffixes = self.suffixes();
                suffixes
                    .iter()
                    .find_map(|suffix| file.name.strip_suffix(suffix.as_slice()))
                    .unwrap_or_default()
                    .to_vec()
            });
        put(&mut local, "*", stem);
        local
    }

    /// Enters the frames of a target for its recipe.
    pub(crate) fn enter(&mut self, number: usize, body: usize) {
        self.frames = self.frames_of(number);
        let local = self.automatic(number, body);
        self.frames.push(Frame::Local(local));
    }

    /// Returns the commands of a recipe, in the frames now.
    pub(crate) fn commands(&mut self, number: usize, recipe: &Rc<Recipe>) -> Outcome<Vec<Command>> {
        let is_listed = |maker: &Self, name: &str| {
            maker
                .special(name)
                .is_some_and(|files| files.is_empty() || files.contains(&number))
        };
        let all_silent = self.options.silent || is_listed(self, ".SILENT");
        let all_ignored = self.options.ignore_errors || is_listed(self, ".IGNORE");
        let mut commands = Vec::new();
        let before = self.place.clone();
        let mut offset = 0;
        for line in &recipe.lines {
            // Lines that come out of one definition count one by one, as in the messages of the original.
            for part in physical(line) {
                let place = recipe.place.as_ref().map(|place| Place {
                    file: Rc::clone(&place.file),
                    line: place.line + offset,
                });
                offset += 1;
                self.place.clone_from(&place);
                let calls_make = contains(&part, b"$(MAKE)") || contains(&part, b"${MAKE}");
                // The marks before the line as it is written hold for all that comes out of it.
                let mut line = Command {
                    text: Vec::new(),
                    place,
                    silent: all_silent,
                    ignores: all_ignored,
                    always: calls_make,
                };
                line.take_marks(&part);
                let text = self.expand(&part)?;
                for text in physical(&text) {
                    let mut command = line.clone();
                    command.text = command.take_marks(&text).to_vec();
                    commands.push(command);
                }
            }
        }
        self.place = before;
        if self.options.one_shell && !commands.is_empty() {
            return Ok(as_one(commands));
        }
        Ok(commands)
    }
}

/// Makes one script of all commands; only the marks before the first count.
fn as_one(commands: Vec<Command>) -> Vec<Command> {
    let mut commands = commands.into_iter();
    let Some(mut first) = commands.next() else {
        return Vec::new();
    };
    for command in commands {
        first.always |= command.always;
        first.text.push(b'\n');
        first.text.extend_from_slice(&command.text);
    }
    vec![first]
}

/// Splits at line feeds that no backslash quotes.
fn physical(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut slashes = 0;
    for byte in text {
        if *byte == b'\n' && slashes % 2 == 0 {
            lines.push(Vec::new());
            continue;
        }
        slashes = if *byte == b'\\' { slashes + 1 } else { 0 };
        if let Some(line) = lines.last_mut() {
            line.push(*byte);
        }
    }
    lines
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn put(local: &mut Variables, name: &str, value: Vec<u8>) {
    let variable = Variable::new(value, Origin::Automatic, false);
    local.insert(name.as_bytes().to_vec(), Rc::new(variable));
}
