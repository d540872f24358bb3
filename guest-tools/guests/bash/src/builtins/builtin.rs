//! What a builtin is.

use bstr::{BStr, BString, ByteSlice};

use crate::runtime::LocalFuture;
use crate::state::{Outcome, Shell};

/// How a builtin counts for the grammar of errors and look-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Found after functions; its errors end nothing.
    Regular,
    /// POSIX's special builtins: found before functions in POSIX mode, where their errors end the shell.
    Special,
    /// Regular, and its arguments of the form `name=value` are assignments (`declare`, `export`, ...).
    Declaration,
    /// Special, and its arguments may be assignments.
    SpecialDeclaration,
}

impl Class {
    /// Returns whether it is special.
    pub fn is_special(self) -> bool {
        matches!(self, Self::Special | Self::SpecialDeclaration)
    }

    /// Returns whether its arguments may be assignments.
    pub fn is_declaration(self) -> bool {
        matches!(self, Self::Declaration | Self::SpecialDeclaration)
    }
}

/// How a builtin runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// Without waiting for anything: output goes to [`Shell::print`], which the engine writes out afterwards.
    Now(fn(&mut Shell, &Invocation) -> Outcome),
    /// May wait: for a descriptor, a job, commands that it runs.
    Waiting(for<'a> fn(&'a mut Shell, &'a Invocation) -> LocalFuture<'a, Outcome>),
}

/// A builtin.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What `help` and usage errors print: `cd [-L|[-P [-e]] [-@]] [dir]`.
    pub usage: &'static str,
    /// Its class.
    pub class: Class,
    /// Its code.
    pub run: Run,
}

/// One element of `name=(...)`, expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListElement {
    /// The text between the brackets of `[subscript]=value`: the key, or an arithmetic expression.
    pub subscript: Option<BString>,
    /// Whether it was `[subscript]+=value`.
    pub is_append: bool,
    /// The value.
    pub value: BString,
}

/// The list that was assigned to an argument of a declaration builtin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAssignment {
    /// The place of the argument, which holds the name alone.
    pub argument: usize,
    /// Whether it was `name+=(...)`.
    pub is_append: bool,
    /// The elements. A declaration with `-A` takes elements without subscript in pairs.
    pub elements: Vec<ListElement>,
}

/// What a builtin is called with.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The name it was called by, then the arguments.
    pub words: Vec<BString>,
    /// For declaration builtins: the arguments that were `name=(...)`. `name=value` is in `words` as it stands.
    pub lists: Vec<ListAssignment>,
}

impl Invocation {
    /// Returns the name it was called by.
    pub fn name(&self) -> &BStr {
        self.words
            .first()
            .map(|name| name.as_bstr())
            .unwrap_or_default()
    }

    /// Returns the arguments without the name.
    pub fn arguments(&self) -> &[BString] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Returns the list that was assigned to argument number `argument` (from 1, as in `words`).
    pub fn list(&self, argument: usize) -> Option<&ListAssignment> {
        self.lists.iter().find(|list| list.argument == argument)
    }
}

impl Shell {
    /// Says something in the name of a builtin: `bash: line 1: cd: message`.
    pub fn report_for(&mut self, name: &[u8], message: impl std::fmt::Display) {
        self.report(format_args!("{}: {message}", name.as_bstr()));
    }

    /// Prints the usage of a builtin as bash does after a wrong option, and returns status 2.
    pub fn usage(&mut self, builtin: &Builtin) -> u8 {
        let text = format!("{}: usage: {}\n", builtin.name, builtin.usage);
        self.print_error(text.as_bytes());
        2
    }
}
