//! `compgen`: the words that a completion would offer.

use bash_syntax::{ParseOptions, WordContext, parse_word};
use bash_text::pattern::{Options, Pattern, Piece};
use bash_text::split::Separators;
use bstr::{BStr, BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::{Lookup, Origin, run_text, run_words};
use crate::jobs::JobState;
use crate::runtime::LocalFuture;
use crate::state::{Outcome, SetOption, Shell, Shopt, Stop};
use crate::sys;
use crate::variables::{Attributes, Variable};

/// `compgen`
pub const COMPGEN: Builtin = Builtin {
    name: "compgen",
    usage: "compgen [-abcdefgjksuv] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [word]",
    class: Class::Regular,
    run: Run::Waiting(run),
};

/// The actions, in the order in which their words come.
const ACTIONS: &[&str] = &[
    "alias",
    "arrayvar",
    "binding",
    "builtin",
    "disabled",
    "enabled",
    "export",
    "function",
    "helptopic",
    "hostname",
    "job",
    "keyword",
    "running",
    "setopt",
    "shopt",
    "signal",
    "stopped",
    "variable",
    "command",
    "file",
    "user",
    "group",
    "service",
    "directory",
];

/// The options of `-o`, in the order in which they are printed.
pub(super) const OPTIONS: &[&str] = &[
    "bashdefault",
    "default",
    "dirnames",
    "filenames",
    "noquote",
    "nosort",
    "nospace",
    "plusdirs",
];

const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do",
    "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc",
];

/// What a completion is made of: the options of `compgen` and `complete`.
#[derive(Debug, Clone, Default)]
pub struct Completion {
    pub(super) options: Vec<&'static str>,
    actions: Vec<&'static str>,
    glob: Option<BString>,
    words: Option<BString>,
    function: Option<BString>,
    command: Option<BString>,
    filter: Option<BString>,
    prefix: BString,
    suffix: BString,
}

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "abcdefgjksuvo:A:G:W:P:S:X:F:C:");
        let mut wishes = Completion::default();
        while let Some(flag) = flags.next(shell, &COMPGEN) {
            let flag = match flag {
                Err(status) => return Ok(status),
                Ok(flag) => flag,
            };
            if let Err(message) = wishes.add(flag.letter, flag.argument.unwrap_or_default()) {
                shell.report_for(b"compgen", message);
                return Ok(2);
            }
        }
        if invocation.arguments().len() == flags.rest().len() {
            return Ok(0);
        }
        let word = flags.rest().first().cloned().unwrap_or_default();
        let found = generate(shell, &wishes, &word).await?;
        let mut text = Vec::new();
        for candidate in &found {
            text.extend_from_slice(candidate);
            text.push(b'\n');
        }
        shell.print(&text);
        Ok(u8::from(found.is_empty()))
    })
}

impl Completion {
    /// Takes an option in.
    pub(super) fn add(&mut self, letter: u8, argument: &BStr) -> Result<(), String> {
        let action = match letter {
            b'a' => "alias",
            b'b' => "builtin",
            b'c' => "command",
            b'd' => "directory",
            b'e' => "export",
            b'f' => "file",
            b'g' => "group",
            b'j' => "job",
            b'k' => "keyword",
            b's' => "service",
            b'u' => "user",
            b'v' => "variable",
            b'A' => match ACTIONS
                .iter()
                .find(|known| known.as_bytes() == argument.as_bytes())
            {
                Some(known) => known,
                None => return Err(format!("{argument}: invalid action name")),
            },
            b'o' => {
                match option(argument) {
                    Some(option) => self.options.push(option),
                    None => return Err(format!("{argument}: invalid option name")),
                }
                return Ok(());
            }
            _ => {
                let argument = BString::from(argument);
                match letter {
                    b'G' => self.glob = Some(argument),
                    b'W' => self.words = Some(argument),
                    b'F' => self.function = Some(argument),
                    b'C' => self.command = Some(argument),
                    b'X' => self.filter = Some(argument),
                    b'P' => self.prefix = argument,
                    _ => self.suffix = argument,
                }
                return Ok(());
            }
        };
        self.actions.push(action);
        Ok(())
    }
}

/// Returns the option of that name.
pub(super) fn option(name: &[u8]) -> Option<&'static str> {
    OPTIONS
        .iter()
        .find(|known| known.as_bytes() == name)
        .copied()
}

/// The actions that have a letter.
const LETTERS: &[(&str, char)] = &[
    ("alias", 'a'),
    ("builtin", 'b'),
    ("command", 'c'),
    ("directory", 'd'),
    ("export", 'e'),
    ("file", 'f'),
    ("group", 'g'),
    ("job", 'j'),
    ("keyword", 'k'),
    ("service", 's'),
    ("user", 'u'),
    ("variable", 'v'),
];

impl Completion {
    /// Returns the `complete` command that says the same, without the name.
    pub(super) fn command(&self) -> BString {
        let mut text = BString::from("complete");
        for option in OPTIONS
            .iter()
            .filter(|option| self.options.contains(option))
        {
            text.extend_from_slice(format!(" -o {option}").as_bytes());
        }
        for (action, letter) in LETTERS {
            if self.actions.contains(action) {
                text.extend_from_slice(format!(" -{letter}").as_bytes());
            }
        }
        for action in ACTIONS {
            let has_letter = LETTERS.iter().any(|(name, _)| name == action);
            if !has_letter && self.actions.contains(action) {
                text.extend_from_slice(format!(" -A {action}").as_bytes());
            }
        }
        let some = |part: &BString| (!part.is_empty()).then(|| part.clone());
        for (letter, part) in [
            ("G", self.glob.clone()),
            ("W", self.words.clone()),
            ("P", some(&self.prefix)),
            ("S", some(&self.suffix)),
            ("X", self.filter.clone()),
            ("C", self.command.clone()),
        ] {
            if let Some(part) = part {
                text.extend_from_slice(format!(" -{letter} ").as_bytes());
                text.extend_from_slice(&bash_text::quote::single(&part));
            }
        }
        if let Some(function) = &self.function {
            text.extend_from_slice(b" -F ");
            text.extend_from_slice(function);
        }
        text
    }
}

async fn generate(
    shell: &mut Shell,
    wishes: &Completion,
    word: &BString,
) -> Result<Vec<BString>, Stop> {
    let mut found = Vec::new();
    for action in ACTIONS
        .iter()
        .filter(|action| wishes.actions.contains(action))
    {
        let mut words = act(shell, action, word);
        words.retain(|candidate| candidate.starts_with(word));
        found.extend(words);
    }
    if let Some(pattern) = &wishes.glob {
        found.extend(shell.matching_paths(&[Piece {
            text: pattern,
            is_quoted: false,
        }]));
    }
    if let Some(list) = &wishes.words {
        let words = expand_list(shell, list).await?;
        found.extend(
            words
                .into_iter()
                .filter(|candidate| candidate.starts_with(word)),
        );
    }
    if let Some(function) = &wishes.function {
        shell.report_for(b"compgen", "warning: -F option may not work as you expect");
        let words = [function.as_slice(), b"compgen", word, b""].map(BString::from);
        let _ = shell.unset(b"COMPREPLY");
        let _ = shell.set(b"COMP_KEY", b"0");
        let _ = shell.set(b"COMP_TYPE", b"0");
        let _ = shell.set(b"COMP_CWORD", b"-1");
        let _ = shell.set(b"COMP_POINT", b"0");
        let _ = shell.set(b"COMP_LINE", b"");
        run_words(shell, words.to_vec(), Lookup::ALL).await?;
        found.extend(shell.elements(b"COMPREPLY"));
        for name in [
            "COMP_KEY",
            "COMP_TYPE",
            "COMP_CWORD",
            "COMP_POINT",
            "COMP_LINE",
        ] {
            let _ = shell.unset(name.as_bytes());
        }
    }
    if let Some(command) = &wishes.command {
        shell.report_for(b"compgen", "warning: -C option may not work as you expect");
        let text = format!(
            "mapfile -t COMPREPLY < <({command} compgen {} '')",
            bash_text::quote::single(word)
        );
        run_text(shell, text.as_bytes().as_bstr(), Origin::Eval).await?;
        found.extend(shell.elements(b"COMPREPLY"));
    }
    if let Some(filter) = &wishes.filter {
        keep(shell, filter, word, &mut found);
    }
    let has = |option: &str| wishes.options.contains(&option);
    for candidate in &mut found {
        *candidate = BString::from(
            [
                wishes.prefix.as_slice(),
                candidate.as_slice(),
                wishes.suffix.as_slice(),
            ]
            .concat(),
        );
    }
    if found.is_empty() && has("default") {
        found = act(shell, "file", word);
    }
    if has("plusdirs") || found.is_empty() && has("dirnames") {
        let mut directories = act(shell, "directory", word);
        directories.retain(|candidate| candidate.starts_with(word));
        found.extend(directories);
    }
    Ok(found)
}

/// Applies -X: what matches goes, or with `!` what does not; `&` stands for the word.
fn keep(shell: &Shell, filter: &BString, word: &BString, found: &mut Vec<BString>) {
    let is_extended = shell.options.has_shopt(Shopt::ExtGlob) && filter.starts_with(b"!(");
    let (keeps_matches, pattern) = match filter.strip_prefix(b"!").filter(|_| !is_extended) {
        Some(rest) => (true, rest),
        None => (false, filter.as_slice()),
    };
    let mut text = Vec::new();
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'&' => text.extend_from_slice(word),
            b'\\' if bytes.as_slice().first() == Some(&b'&') => {
                bytes.next();
                text.push(b'&');
            }
            byte => text.push(*byte),
        }
    }
    let options = Options {
        extglob: shell.options.has_shopt(Shopt::ExtGlob),
        ignore_case: shell.options.has_shopt(Shopt::NoCaseMatch),
    };
    let pattern = Pattern::from_text(&text, options);
    found.retain(|candidate| pattern.matches(candidate) == keeps_matches);
}

/// Cuts text at the separators that stand outside of quotes and substitutions.
fn words_of(list: &[u8], separators: &Separators) -> Vec<BString> {
    let mut words = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut open: Vec<u8> = Vec::new();
    while let Some(byte) = list.get(at) {
        let is_quoted = matches!(open.last(), Some(b'\''));
        let next = list.get(at + 1);
        let mut width = 1;
        match byte {
            b'\\' if !is_quoted => width = 2,
            _ if open.last() == Some(byte) => {
                open.pop();
            }
            b'\'' | b'"' | b'`' if !is_quoted => open.push(*byte),
            b'$' if !is_quoted && next == Some(&b'(') => {
                open.push(b')');
                width = 2;
            }
            b'$' if !is_quoted && next == Some(&b'{') => {
                open.push(b'}');
                width = 2;
            }
            b'(' if open.last() == Some(&b')') => open.push(b')'),
            _ if open.is_empty() => {
                if let Some(length) = separators.separator(list.get(at..).unwrap_or_default()) {
                    words.extend(list.get(start..at).filter(|word| !word.is_empty()));
                    start = at + length;
                    width = length;
                }
            }
            _ => {}
        }
        at += width;
    }
    words.extend(list.get(start..).filter(|word| !word.is_empty()));
    words.into_iter().map(BString::from).collect()
}

/// Splits and expands the argument of -W.
async fn expand_list(shell: &mut Shell, list: &BString) -> Result<Vec<BString>, Stop> {
    let separators = std::rc::Rc::clone(&shell.separators);
    let pieces = words_of(list, &separators);
    let had_globs = !shell.options.has(SetOption::NoGlob);
    shell.options.put(SetOption::NoGlob, true);
    let mut words = Vec::new();
    for piece in pieces {
        if !piece
            .iter()
            .any(|byte| matches!(byte, b'$' | b'`' | b'\\' | b'\'' | b'"' | b'~'))
        {
            words.push(piece);
            continue;
        }
        if let Ok(word) = parse_word(&piece, WordContext::Unquoted, &ParseOptions::default()) {
            let outcome = shell.expand_fields(&word, &mut words).await;
            if let Err(stop) = outcome {
                shell.options.put(SetOption::NoGlob, !had_globs);
                return Err(stop);
            }
        }
    }
    shell.options.put(SetOption::NoGlob, !had_globs);
    Ok(words)
}

fn act(shell: &Shell, action: &str, word: &BString) -> Vec<BString> {
    let owned = |names: &mut dyn Iterator<Item = &'static str>| names.map(BString::from).collect();
    match action {
        "alias" => shell.aliases.keys().cloned().collect(),
        "arrayvar" => variables(shell, |variable| {
            variable.is_array()
                || variable
                    .dynamic
                    .is_some_and(|dynamic| dynamic.is_indexed() || dynamic.is_associative())
        }),
        "export" => variables(shell, |variable| {
            variable.attributes.has(Attributes::EXPORT)
        }),
        "variable" => variables(shell, Variable::is_assigned),
        "builtin" | "helptopic" => owned(&mut super::all().iter().map(|builtin| builtin.name)),
        "enabled" => owned(
            &mut super::all()
                .iter()
                .map(|builtin| builtin.name)
                .filter(|name| !shell.disabled_builtins.contains(name)),
        ),
        "disabled" => {
            let mut names = (*shell.disabled_builtins).clone();
            names.sort_unstable();
            names.into_iter().map(BString::from).collect()
        }
        "function" => functions(shell),
        "hostname" => vec![BString::from("localhost"), BString::from(sys::host_name())],
        "job" => shell
            .jobs
            .list()
            .iter()
            .map(|job| first_word(&job.text))
            .collect(),
        "running" => {
            let jobs = shell.jobs.list().iter();
            jobs.filter(|job| job.state() == JobState::Running)
                .map(|job| first_word(&job.text))
                .collect()
        }
        "keyword" => owned(&mut KEYWORDS.iter().copied()),
        "setopt" => owned(&mut SetOption::ALL.iter().map(|(_, name, _)| *name)),
        "shopt" => owned(&mut Shopt::ALL.iter().map(|(_, name, _)| *name)),
        "signal" => {
            let conditions = ["DEBUG", "ERR", "RETURN"];
            owned(
                &mut (0..=64)
                    .filter_map(bash_text::signal::name)
                    .chain(conditions),
            )
        }
        "command" => commands(shell, word),
        "file" => paths(shell, word, false),
        "directory" => paths(shell, word, true),
        "user" => accounts("/etc/passwd"),
        "group" => accounts("/etc/group"),
        _ => Vec::new(),
    }
}

fn variables(shell: &Shell, is_wanted: impl Fn(&Variable) -> bool) -> Vec<BString> {
    let sorted = shell.variables.sorted();
    sorted
        .into_iter()
        .filter(|(_, variable)| is_wanted(variable))
        .map(|(name, _)| BString::from(&**name))
        .collect()
}

fn functions(shell: &Shell) -> Vec<BString> {
    let mut names: Vec<BString> = shell
        .functions
        .keys()
        .map(|name| BString::from(&**name))
        .collect();
    names.sort();
    names
}

fn first_word(text: &BString) -> BString {
    BString::from(text.split(|byte| *byte == b' ').next().unwrap_or_default())
}

/// All that a command may begin with: keywords, aliases, functions, builtins, programs.
fn commands(shell: &Shell, word: &BString) -> Vec<BString> {
    let mut names = Vec::new();
    names.extend(shell.aliases.keys().cloned());
    names.extend(KEYWORDS.iter().map(|name| BString::from(*name)));
    names.extend(functions(shell));
    names.extend(act(shell, "enabled", word));
    let path = shell.get_string("PATH").unwrap_or_default();
    for folder in path.split(|byte| *byte == b':') {
        let folder = shell.absolute(folder);
        let mut programs: Vec<BString> = sys::list(&folder)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| {
                name.starts_with(word)
                    && shell.is_program(&[folder.as_slice(), b"/", name].concat())
            })
            .collect();
        programs.sort();
        names.extend(programs);
    }
    names
}

fn paths(shell: &Shell, word: &BString, only_directories: bool) -> Vec<BString> {
    let end = word.rfind_byte(b'/').map_or(0, |place| place + 1);
    let (folder, prefix) = word.split_at(end);
    // The tilde stays as written.
    let place = match folder.strip_prefix(b"~") {
        Some(rest) => {
            let end = rest.find_byte(b'/').unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let home = shell.tilde(name).unwrap_or_default();
            BString::from([home.as_slice(), rest].concat())
        }
        None => BString::from(folder),
    };
    let mut found: Vec<BString> = sys::list(&shell.absolute(&place))
        .unwrap_or_default()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(prefix))
        .map(|name| BString::from([folder, name.as_slice()].concat()))
        .filter(|path| {
            !only_directories
                || sys::stat(shell.absolute(path), true)
                    .is_ok_and(|stat| stat.kind == sys::Kind::Directory)
        })
        .collect();
    found.sort();
    found
}

fn accounts(file: &str) -> Vec<BString> {
    let text = std::fs::read(file).unwrap_or_default();
    let names = text
        .lines()
        .filter_map(|line| line.split(|byte| *byte == b':').next());
    names
        .filter(|name| !name.is_empty())
        .map(BString::from)
        .collect()
}
