//! The state of one shell: the main one, or a subshell, which is a clone that goes its own way.
//!
//! Cloning is cheap: big parts are shared and copied when one side changes them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use bash_text::split::Separators;
use bstr::BString;

use bash_syntax::ast;

use super::calls::Call;
use super::history::History;
use super::options::Options;
use super::output::PendingOutput;
use super::positional::Positional;
use crate::builtins::{Completion, LimitKey};
use crate::descriptors::Descriptors;
use crate::jobs::Jobs;
use crate::runtime::{Runtime, Task};
use crate::sys;
use crate::traps::Traps;
use crate::variables::{NameMap, Variables};

/// A shell function.
#[derive(Debug)]
pub struct Function {
    /// Its definition.
    pub definition: Rc<ast::FunctionDefinition>,
    /// The file that defines it.
    pub source: Rc<BString>,
    /// Whether it is handed to programs: `export -f`.
    pub is_exported: bool,
    /// Whether it inherits DEBUG and RETURN traps: `declare -ft`.
    pub is_traced: bool,
    /// Whether it cannot be changed: `readonly -f`.
    pub is_readonly: bool,
}

impl Clone for Function {
    fn clone(&self) -> Self {
        Self {
            definition: Rc::clone(&self.definition),
            source: Rc::clone(&self.source),
            is_exported: self.is_exported,
            is_traced: self.is_traced,
            is_readonly: self.is_readonly,
        }
    }
}

/// A remembered place of a program.
#[derive(Debug, Clone)]
pub struct HashEntry {
    /// Where it is.
    pub path: BString,
    /// How often it was used from here.
    pub hits: u32,
}

/// A shell.
#[derive(Clone)]
pub struct Shell {
    /// The executor.
    pub runtime: Rc<Runtime>,
    /// The task that runs this shell.
    pub task: Rc<Task>,
    /// Variables.
    pub variables: Variables,
    /// Functions.
    pub functions: Rc<NameMap<Rc<Function>>>,
    /// Aliases.
    pub aliases: Rc<BTreeMap<BString, BString>>,
    /// `set -o` and `shopt`.
    pub options: Options,
    /// Open descriptors.
    pub descriptors: Descriptors,
    /// The working directory as the user sees it; absolute.
    pub directory: Rc<BString>,
    /// What `pushd` remembers, the top first, without the working directory.
    pub directory_stack: Rc<Vec<BString>>,
    /// `$0`.
    pub name: Rc<BString>,
    /// `$1` and so on.
    pub positional: Positional,
    /// Function calls and sourced files, the innermost last.
    pub calls: Vec<Rc<Call>>,
    /// The commands that were read, while `set -o history` is on.
    pub history: Rc<History>,
    /// What `complete` was told, by command name.
    pub completions: Rc<BTreeMap<BString, Completion>>,
    /// Traps.
    pub traps: Traps,
    /// Background jobs.
    pub jobs: Jobs,
    /// Where programs were found.
    pub hash: Rc<BTreeMap<BString, HashEntry>>,
    /// Builtins that `enable -n` turned off.
    pub disabled_builtins: Rc<Vec<&'static str>>,
    /// `$?`
    pub status: u8,
    /// `PIPESTATUS`
    pub pipe_status: Rc<[u8]>,
    /// `$_`
    pub last_argument: BString,
    /// `$!`
    pub last_background: Option<u32>,
    /// `LINENO`: the line of the command that runs.
    pub line: u32,
    /// The text of the command that runs, kept only while somebody may ask for it.
    pub command_text: Option<BString>,
    /// Whether BASH_COMMAND occurs in what was read so far, so that the text must be kept.
    pub keeps_command_text: bool,
    /// Output not written yet.
    pub output: PendingOutput,
    /// How many conditions surround the command: errexit and ERR do not apply inside one.
    pub conditions: u32,
    /// How many loops surround the command.
    pub loops: u32,
    /// How many function calls surround the command.
    pub function_depth: u32,
    /// How many sourced files surround the command.
    pub source_depth: u32,
    /// How many `eval`, `source`, `trap` texts surround the command.
    pub text_depth: u32,
    /// `BASH_SUBSHELL`
    pub subshell_depth: u32,
    /// Whether this is a forked subshell (of any kind), which has no jobs and traps of its own at first.
    pub is_subshell: bool,
    /// Whether the commands came with `-c`.
    pub is_command_string: bool,
    /// The script that runs; none with `-c` and from standard input.
    pub script: Option<Rc<BString>>,
    /// Whether the commands are read from standard input: `s` in `$-`.
    pub reads_input: bool,
    /// Whether this is the long-lived shell of a hand, which an error does not end.
    pub is_session: bool,
    /// Whether somebody sits at it (`-i`).
    pub is_interactive: bool,
    /// The status of the last command substitution of the command that runs.
    pub substitution_status: Option<u8>,
    /// The separators of IFS as it is now.
    pub separators: Rc<Separators>,
    /// When the shell started.
    pub started: Instant,
    /// What SECONDS was set to.
    pub seconds_offset: i64,
    /// The state of RANDOM.
    pub random_seed: Cell<u32>,
    /// The last value of RANDOM, which is not given twice in a row.
    pub random_last: Cell<u32>,
    /// Where `getopts` goes on.
    pub getopts: bash_text::getopts::State,
    /// The limits that `ulimit` lowered, by letter.
    pub limits: Rc<BTreeMap<LimitKey, u64>>,
    /// The umask.
    pub umask: u32,
    /// Counts down to the next time that other tasks and signals get their turn.
    pub patience: u32,
    /// The process id of the shell, also in its subshells: `$$`.
    pub shell_pid: u32,
    /// The process id of the shell's parent.
    pub parent_pid: u32,
    /// Descriptors that stand for process substitutions of the command that runs.
    pub substitutions: Vec<u32>,
    /// Commands that were run, for `\#`.
    pub command_number: u64,
    /// Parsed arithmetic, shared by all subshells.
    pub expressions: Rc<std::cell::RefCell<crate::expansion::Expressions>>,
    /// Whether the task has nothing to do after the simple command that runs next.
    pub is_last_command: bool,
    /// Whether the DEBUG trap of the command that runs next ran already, before its process was made.
    pub was_debugged: bool,
    /// How many command substitutions surround the command.
    pub substitution_depth: u32,
    /// A signal that this subshell sent to itself and that ends it.
    pub deadly_signal: Option<u8>,
    /// What `$?` was when the trap that runs now began: the status of a bare `exit` in it.
    pub trap_status: Option<u8>,
    /// How many function calls surrounded the trap that runs now.
    pub trap_depth: u32,
    /// The signal that ended the last program and its process id, until that is said.
    pub killed_program: Option<(u8, u32)>,
    /// The trapped signal that last interrupted a wait.
    pub last_signal: u8,
    /// Whether a signal, a trap or an option asks for a look before the next command.
    pub must_look: bool,
}

impl Shell {
    /// Returns a shell for a subshell's task: a clone that shares nothing that it changes.
    pub fn subshell(&self, task: Rc<Task>) -> Self {
        let mut shell = self.clone();
        shell.task = task;
        shell.is_subshell = true;
        shell.subshell_depth += 1;
        shell.output = PendingOutput::default();
        shell.loops = 0;
        shell.trap_status = None;
        shell.jobs = self.jobs.for_subshell();
        shell.traps.reset_for_subshell(
            self.options.has(super::SetOption::FuncTrace),
            self.options.has(super::SetOption::ErrTrace),
        );
        shell.publish_dispositions();
        shell.random_seed.set(
            self.random_seed
                .get()
                .wrapping_mul(1_103_515_245)
                .wrapping_add(u32::try_from(shell.task.number() & 0xffff).unwrap_or(0)),
        );
        shell.substitutions = Vec::new();
        shell.is_last_command = false;
        shell
    }

    /// Returns the process id of this shell or subshell: `BASHPID`.
    pub fn pid(&self) -> u32 {
        if self.is_subshell {
            self.task.own_pid()
        } else {
            self.shell_pid
        }
    }

    /// Returns whether the shell is in POSIX mode.
    pub fn is_posix(&self) -> bool {
        self.options.has(super::SetOption::Posix)
    }

    /// Returns `path` made absolute against the working directory.
    pub fn absolute(&self, path: &[u8]) -> BString {
        if path.first() == Some(&b'/') {
            return BString::from(path);
        }
        let mut whole = self.directory.to_vec();
        if whole.last() != Some(&b'/') {
            whole.push(b'/');
        }
        whole.extend_from_slice(path);
        BString::from(whole)
    }

    /// Returns the letters of `$-`.
    pub fn flags(&self) -> BString {
        let mut letters: Vec<u8> = Vec::new();
        // bash prints them in the order of its flag table.
        for letter in b"abefhkmnptuvxBCEHPT" {
            if let Some(option) = super::SetOption::by_letter(*letter)
                && self.options.has(option)
            {
                letters.push(*letter);
            }
        }
        let place = letters
            .iter()
            .position(|letter| letter.is_ascii_uppercase())
            .unwrap_or(letters.len());
        if self.is_interactive {
            let at = letters
                .iter()
                .position(|letter| *letter > b'i')
                .unwrap_or(letters.len())
                .min(place);
            letters.insert(at, b'i');
        }
        if self.is_command_string {
            letters.push(b'c');
        }
        if self.reads_input {
            letters.push(b's');
        }
        BString::from(letters)
    }

    /// Returns the environment for a program.
    pub fn environment(&self) -> Vec<(BString, BString)> {
        use crate::variables::Attributes;
        let mut environment: Vec<(BString, BString)> = Vec::new();
        for (name, variable) in self.variables.iter() {
            if !variable.attributes.has(Attributes::EXPORT) {
                continue;
            }
            let text = match variable.dynamic {
                Some(dynamic) => self.dynamic_text(dynamic),
                None if variable.is_array() => None,
                None => variable.text().cloned(),
            };
            if let Some(text) = text {
                environment.push((BString::from(&**name), text));
            }
        }
        for (name, function) in self.functions.iter().filter(|(_, f)| f.is_exported) {
            let mut variable = b"BASH_FUNC_".to_vec();
            variable.extend_from_slice(name);
            variable.extend_from_slice(b"%%");
            environment.push((variable.into(), crate::execution::exported_text(function)));
        }
        environment.sort();
        environment
    }

    /// Tells the executor's record of this task which signals it handles.
    pub fn publish_dispositions(&self) {
        let (trapped, ignored) = self.traps.dispositions();
        if self.is_subshell {
            self.task.set_dispositions(trapped, ignored);
        } else {
            // The shell learns of a broken pipe from the write itself: it ends only the task that wrote.
            let caught = self.traps.caught();
            sys::set_signals(caught, ignored | (1 << sys::SIGPIPE) & !trapped);
        }
    }
}
