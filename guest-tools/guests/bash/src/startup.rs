//! A new shell: its variables, descriptors and options before the first command.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bash_text::split::Separators;
use bstr::{BString, ByteSlice};

use crate::descriptors::{Descriptors, Open};
use crate::execution::{Origin, run_text};
use crate::jobs::Jobs;
use crate::runtime::{Runtime, Task};
use crate::state::{Options, PendingOutput, Positional, SetOption, Shell, Shopt};
use crate::sys;
use crate::traps::Traps;
use crate::variables::{
    Attributes, Dynamic, IndexedArray, NameMap, Value, Variable, Variables, is_name,
};

const VERSION: &str = "5.2.15(1)-release";
const MACHINE: &str = "x86_64-pc-linux-gnu";

/// Makes a shell for `task`.
pub fn new_shell(runtime: &Rc<Runtime>, task: &Rc<Task>, name: &str) -> Shell {
    let mut descriptors = Descriptors::default();
    for number in sys::given() {
        if let Some(descriptor) = sys::take(number) {
            descriptors.put(number, Some(Open::foreign(descriptor)));
        }
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seed = now.subsec_nanos() ^ sys::pid();
    let ignored = sys::ignored();
    let mut shell = Shell {
        runtime: Rc::clone(runtime),
        task: Rc::clone(task),
        variables: Variables::default(),
        functions: Rc::default(),
        aliases: Rc::default(),
        options: Options::default(),
        descriptors,
        directory: Rc::default(),
        directory_stack: Rc::default(),
        name: Rc::new(BString::from(name)),
        positional: Positional::default(),
        calls: Vec::new(),
        history: Rc::default(),
        completions: Rc::default(),
        traps: Traps::new(ignored),
        jobs: Jobs::default(),
        hash: Rc::default(),
        disabled_builtins: Rc::default(),
        status: 0,
        pipe_status: Rc::from([].as_slice()),
        last_argument: BString::from(name),
        last_background: None,
        line: 0,
        command_text: None,
        keeps_command_text: false,
        output: PendingOutput::default(),
        conditions: 0,
        loops: 0,
        function_depth: 0,
        source_depth: 0,
        text_depth: 0,
        subshell_depth: 0,
        is_subshell: false,
        is_command_string: false,
        script: None,
        reads_input: false,
        is_session: false,
        is_interactive: false,
        substitution_status: None,
        separators: Rc::new(Separators::new(Some(b" \t\n"))),
        started: Instant::now(),
        seconds_offset: 0,
        random_seed: Cell::new(seed),
        random_last: Cell::new(0),
        getopts: bash_text::getopts::State::default(),
        limits: Rc::default(),
        umask: sys::umask(),
        patience: 0,
        shell_pid: sys::pid(),
        parent_pid: sys::parent(),
        substitutions: Vec::new(),
        command_number: 1,
        expressions: Rc::default(),
        is_last_command: false,
        substitution_depth: 0,
        deadly_signal: None,
        trap_status: None,
        trap_depth: 0,
        killed_program: None,
        last_signal: 0,
        was_debugged: false,
        must_look: false,
    };
    import(&mut shell);
    preset(&mut shell);
    // The shell learns of a broken pipe from the write, so that it ends as it should.
    shell.publish_dispositions();
    shell
}

/// Takes the environment over.
fn import(shell: &mut Shell) {
    for (name, value) in std::env::vars_os() {
        let name = process::name_bytes(&name).into_owned();
        let value = process::name_bytes(&value).into_owned();
        if matches!(name.as_slice(), b"SHELLOPTS" | b"BASHOPTS") {
            inherit_options(shell, &name, &value);
        }
        if !is_name(&name) || matches!(name.as_slice(), b"SHELLOPTS" | b"BASHOPTS" | b"_") {
            continue;
        }
        let mut variable = Variable::scalar(value);
        variable.attributes = Attributes::EXPORT;
        shell.variables.insert(&name, variable);
    }
}

/// Turns the options on that a parent shell exported, and has them exported on.
fn inherit_options(shell: &mut Shell, name: &[u8], value: &[u8]) {
    for option in value.split(|byte| *byte == b':') {
        if name == b"SHELLOPTS" {
            if let Some(option) = SetOption::by_name(option) {
                shell.options.put(option, true);
            }
        } else if let Some(option) = Shopt::by_name(option) {
            shell.options.put_shopt(option, true);
        }
    }
    let variable = Variable {
        attributes: Attributes::EXPORT,
        ..Variable::default()
    };
    shell.variables.insert(name, variable);
}

/// Defines the functions that the environment hands over.
pub async fn import_functions(shell: &mut Shell) {
    for (name, value) in std::env::vars_os() {
        let name = process::name_bytes(&name).into_owned();
        let value = process::name_bytes(&value).into_owned();
        let function = name
            .strip_prefix(b"BASH_FUNC_")
            .and_then(|rest| rest.strip_suffix(b"%%"));
        let Some(function) = function.filter(|_| value.starts_with(b"() {")) else {
            continue;
        };
        let mut text = function.to_vec();
        text.push(b' ');
        text.extend_from_slice(&value);
        let _ = run_text(shell, &text, Origin::Eval).await;
        let functions: &mut NameMap<_> = Rc::make_mut(&mut shell.functions);
        if let Some(function) = functions.get_mut(function) {
            Rc::make_mut(function).is_exported = true;
        }
    }
}

fn preset(shell: &mut Shell) {
    let directory = BString::from(process::current_directory());
    let given = shell.get_string("PWD");
    let is_same = given.as_ref().is_some_and(|given| {
        let (one, other) = (sys::stat(given, true), sys::stat(&directory, true));
        given.first() == Some(&b'/')
            && matches!((one, other), (Ok(one), Ok(other)) if one.inode == other.inode && one.device == other.device)
    });
    let directory = match given {
        Some(given) if is_same => given,
        _ => directory,
    };
    shell.directory = Rc::new(directory.clone());
    exported(shell, "PWD", &directory);
    let is_directory = shell.get(b"OLDPWD").is_some_and(|path| {
        sys::stat(shell.absolute(&path), true).is_ok_and(|stat| stat.kind == sys::Kind::Directory)
    });
    if !is_directory {
        let unset = Variable {
            attributes: Attributes::EXPORT,
            ..Variable::default()
        };
        shell.variables.insert(b"OLDPWD", unset);
    }
    let level = shell
        .get(b"SHLVL")
        .and_then(|text| bash_text::arithmetic::parse_integer(&text))
        .unwrap_or(0);
    exported(
        shell,
        "SHLVL",
        level.saturating_add(1).to_string().as_bytes(),
    );
    for (name, value) in [
        ("IFS", " \t\n"),
        ("PS4", "+ "),
        ("OPTERR", "1"),
        ("BASH_VERSION", VERSION),
    ] {
        shell
            .variables
            .insert(name.as_bytes(), Variable::scalar(value));
    }
    plain(shell, "HOSTTYPE", b"x86_64");
    plain(shell, "MACHTYPE", MACHINE.as_bytes());
    plain(shell, "OSTYPE", b"linux-gnu");
    plain(shell, "HOSTNAME", sys::host_name().as_bytes());
    plain(shell, "BASH", b"/bin/bash");
    plain(shell, "SHELL", b"/bin/bash");
    plain(shell, "TERM", b"dumb");
    plain(
        shell,
        "PATH",
        b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    plain(shell, "COMP_WORDBREAKS", b" \t\n\"'><=@;|&(:");
    integer(shell, "OPTIND", 1, Attributes::INTEGER);
    let readonly = Attributes::INTEGER.with(Attributes::READONLY);
    integer(shell, "PPID", i64::from(shell.parent_pid), readonly);
    integer(shell, "UID", i64::from(sys::user()), readonly);
    integer(shell, "EUID", i64::from(sys::user()), readonly);
    let parts = ["5", "2", "15", "1", "release", MACHINE];
    let version = Variable {
        value: Value::Indexed(IndexedArray::from_values(parts.map(BString::from).to_vec())),
        attributes: Attributes::READONLY,
        ..Variable::default()
    };
    shell.variables.insert(b"BASH_VERSINFO", version);
    for (name, dynamic) in Dynamic::NAMES {
        let mut variable = Variable {
            dynamic: Some(*dynamic),
            ..Variable::default()
        };
        if dynamic.is_indexed() {
            variable.value = Value::Indexed(IndexedArray::default());
        } else if dynamic.is_associative() {
            variable.value = Value::Associative(crate::variables::AssociativeArray::default());
        }
        if matches!(dynamic, Dynamic::ShellOptions | Dynamic::BashOptions) {
            let before = shell.variables.get(name.as_bytes());
            let is_exported =
                before.is_some_and(|before| before.attributes.has(Attributes::EXPORT));
            variable.attributes = if is_exported {
                Attributes::READONLY.with(Attributes::EXPORT)
            } else {
                Attributes::READONLY
            };
        }
        if matches!(
            dynamic,
            Dynamic::Random | Dynamic::SecureRandom | Dynamic::BashPid | Dynamic::HistoryNumber
        ) {
            variable.attributes = Attributes::INTEGER;
        }
        shell.variables.insert(name.as_bytes(), variable);
    }
    if shell.get(b"POSIXLY_CORRECT").is_some() {
        shell.options.put(SetOption::Posix, true);
    }
    let _ = directory.as_bstr();
}

fn exported(shell: &mut Shell, name: &str, value: &[u8]) {
    let mut variable = Variable::scalar(value);
    variable.attributes = Attributes::EXPORT;
    shell.variables.insert(name.as_bytes(), variable);
}

/// Sets a variable unless the environment has it.
fn plain(shell: &mut Shell, name: &str, value: &[u8]) {
    if shell.variables.get(name.as_bytes()).is_none() {
        shell
            .variables
            .insert(name.as_bytes(), Variable::scalar(value));
    }
}

fn integer(shell: &mut Shell, name: &str, value: i64, attributes: Attributes) {
    let mut variable = Variable::scalar(value.to_string());
    variable.attributes = attributes;
    shell.variables.insert(name.as_bytes(), variable);
}
