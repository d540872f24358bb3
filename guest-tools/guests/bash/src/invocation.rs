//! The command line of the shell, and what it then runs.

use std::rc::Rc;

use bstr::BString;

use crate::execution::{Origin, run_text, source_file};
use crate::runtime::{Ending, Runtime};
use crate::state::{Outcome, Positional, SetOption, Shell, Shopt, Stop};
use crate::traps::Condition;
use crate::{input, session, startup, sys};

/// What the command line asks for.
#[derive(Debug, Default)]
struct Request {
    command: Option<String>,
    has_command: bool,
    reads_input: bool,
    is_interactive: bool,
    is_login: bool,
    has_profile: bool,
    /// Read by an interactive shell instead of `~/.bashrc`.
    rc_file: Option<String>,
    has_no_rc: bool,
    options: Vec<(SetOption, bool)>,
    shopts: Vec<(Shopt, bool)>,
    operands: Vec<String>,
}

/// Runs the shell and returns its status.
pub fn run(arguments: &[String]) -> u8 {
    let name = arguments.first().map_or("bash", String::as_str);
    if arguments.get(1).is_some_and(|first| first == "--session") {
        return session::run(name);
    }
    let request = match parse(arguments) {
        Ok(request) => request,
        Err((message, status)) => {
            if status == 0 {
                print!("{message}");
            } else {
                eprint!("{message}");
            }
            return status;
        }
    };
    let runtime = Rc::new(Runtime::new());
    let task = runtime.new_task(None);
    let shell = startup::new_shell(&runtime, &task, name);
    runtime.start(&task, Box::pin(serve(shell, request)));
    let ending = runtime.run(&task);
    // Subshells in the background live on when the shell ends, as forked ones would.
    runtime.run_rest();
    if let Ending::Signaled(signal) = ending {
        // So that the parent learns how it ended.
        sys::set_signals(0, 0);
        sys::kill(sys::signed(sys::pid()), signal);
    }
    ending.status()
}

fn parse(arguments: &[String]) -> Result<Request, (String, u8)> {
    let name = arguments.first().map_or("bash", String::as_str);
    let base = name.rsplit('/').next().unwrap_or(name);
    let mut request = Request {
        has_profile: true,
        is_login: base.starts_with('-'),
        ..Request::default()
    };
    if base.trim_start_matches('-') == "sh" {
        request.options.push((SetOption::Posix, true));
    }
    let mut words = arguments.iter().skip(1).peekable();
    while let Some(word) = words.peek() {
        let is_option = word.len() > 1 && (word.starts_with('-') || word.starts_with('+'));
        if !is_option {
            if *word == "-" {
                words.next();
            }
            break;
        }
        let word = words.next().map_or("", String::as_str);
        match word {
            "--" => break,
            "--posix" => request.options.push((SetOption::Posix, true)),
            "--login" => request.is_login = true,
            "--noprofile" => request.has_profile = false,
            "--norc" => request.has_no_rc = true,
            "--noediting" | "--restricted" => {}
            "--verbose" => request.options.push((SetOption::Verbose, true)),
            "--rcfile" | "--init-file" => request.rc_file = words.next().cloned(),
            "--version" => {
                return Err((
                    "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n".to_owned(),
                    0,
                ));
            }
            "--help" => {
                return Err((
                    format!("Usage:\t{name} [option] ... [script-file ...]\n"),
                    0,
                ));
            }
            word if word.starts_with("--") => {
                return Err((format!("{name}: {word}: invalid option\n"), 2));
            }
            word => letters(name, word, &mut words, &mut request)?,
        }
    }
    request.operands = words.cloned().collect();
    if request.has_command {
        if request.operands.is_empty() {
            return Err((format!("{name}: -c: option requires an argument\n"), 2));
        }
        request.command = Some(request.operands.remove(0));
    }
    Ok(request)
}

fn letters<'a>(
    name: &str,
    word: &str,
    words: &mut impl Iterator<Item = &'a String>,
    request: &mut Request,
) -> Result<(), (String, u8)> {
    let is_on = word.starts_with('-');
    for letter in word.bytes().skip(1) {
        match letter {
            b'c' => request.has_command = true,
            b's' => request.reads_input = true,
            b'i' => request.is_interactive = true,
            b'l' => request.is_login = true,
            b'r' | b'D' => {}
            b'o' => {
                let option = words.next().map(String::as_str).unwrap_or_default();
                match SetOption::by_name(option.as_bytes()) {
                    Some(option) => request.options.push((option, is_on)),
                    None => {
                        return Err((
                            format!("{name}: line 0: {name}: {option}: invalid option name\n"),
                            2,
                        ));
                    }
                }
            }
            b'O' => {
                let option = words.next().map(String::as_str).unwrap_or_default();
                match Shopt::by_name(option.as_bytes()) {
                    Some(option) => request.shopts.push((option, is_on)),
                    None => {
                        return Err((format!("{name}: {option}: invalid shell option name\n"), 2));
                    }
                }
            }
            letter => match SetOption::by_letter(letter) {
                Some(option) => request.options.push((option, is_on)),
                None => {
                    let sign = if is_on { '-' } else { '+' };
                    let letter = char::from(letter);
                    return Err((format!("{name}: {sign}{letter}: invalid option\n"), 2));
                }
            },
        }
    }
    Ok(())
}

async fn serve(mut shell: Shell, request: Request) -> Ending {
    for (option, is_on) in &request.options {
        shell.options.put(*option, *is_on);
    }
    for (option, is_on) in &request.shopts {
        shell.options.put_shopt(*option, *is_on);
    }
    if request.is_interactive {
        shell.is_interactive = true;
        shell.options.put_shopt(Shopt::ExpandAliases, true);
    }
    if shell.is_posix() {
        shell.options.put_shopt(Shopt::ExpandAliases, true);
    }
    startup::import_functions(&mut shell).await;
    let outcome = commands(&mut shell, &request).await;
    finish(&mut shell, outcome).await
}

async fn commands(shell: &mut Shell, request: &Request) -> Outcome {
    shell.is_command_string = request.command.is_some();
    let mut operands = request
        .operands
        .iter()
        .map(|operand| BString::from(process::argument_bytes(operand).into_owned()));
    let reads_input = request.command.is_none() && (request.reads_input || operands.len() == 0);
    shell.reads_input = reads_input;
    let script = if reads_input { None } else { operands.next() };
    shell.positional = Positional::new(operands.collect());
    if request.is_login {
        shell.options.put_shopt(Shopt::LoginShell, true);
        if request.has_profile {
            profiles(shell).await?;
        }
    }
    if request.is_interactive && !request.is_login && !request.has_no_rc && !shell.is_posix() {
        let path = match &request.rc_file {
            Some(path) => BString::from(path.as_str()),
            None => BString::from(format!(
                "{}/.bashrc",
                shell.get_string("HOME").unwrap_or_default()
            )),
        };
        if sys::stat(shell.absolute(&path), true).is_ok() {
            source_file(shell, &path, None).await?;
        }
    }
    if let Some(command) = &request.command {
        if let Some(name) = script {
            shell.name = Rc::new(name);
        }
        let command = process::argument_bytes(command);
        let text = crate::variables::Variable::scalar(&*command);
        shell.variables.insert(b"BASH_EXECUTION_STRING", text);
        return run_text(shell, &command, Origin::Main).await;
    }
    if let Some(startup) = shell.get_string("BASH_ENV")
        && !startup.is_empty()
        && !shell.is_posix()
        && sys::stat(shell.absolute(&startup), true).is_ok()
    {
        source_file(shell, &startup, None).await?;
    }
    let Some(path) = script else {
        return input::run(shell).await;
    };
    let text = match read_script(shell, &path).await {
        Ok(text) => text,
        Err(status) => return Ok(status),
    };
    shell.name = Rc::new(path.clone());
    shell.script = Some(Rc::new(path));
    run_text(shell, &text, Origin::Main).await
}

async fn read_script(shell: &mut Shell, path: &BString) -> Result<Vec<u8>, u8> {
    let stat = sys::stat(shell.absolute(path), true);
    if stat.is_ok_and(|stat| stat.kind == sys::Kind::Directory) {
        let text = format!("{}: {path}: Is a directory\n", shell.name);
        shell.print_error(text.as_bytes());
        return Err(126);
    }
    let mut path = path.clone();
    if stat.is_err() && !path.contains(&b'/') {
        // A script may be named as a program is.
        if let Some(found) = shell.programs_named(&path, false).into_iter().next() {
            path = found;
        }
    }
    let text = match shell.open_file(&path, sys::OpenHow::READ) {
        Ok(open) => open.read_all(&shell.runtime).await,
        Err(error) => Err(error),
    };
    match text {
        Ok(text)
            if text
                .split(|byte| *byte == b'\n')
                .next()
                .is_some_and(|line| line.contains(&0)) =>
        {
            let text = format!("{path}: {path}: cannot execute binary file\n");
            shell.print_error(text.as_bytes());
            Err(126)
        }
        Ok(text) => Ok(text),
        Err(error) => {
            let text = format!("{}: {path}: {error}\n", shell.name);
            shell.print_error(text.as_bytes());
            Err(if error == sys::Errno::NoEntry {
                127
            } else {
                126
            })
        }
    }
}

async fn profiles(shell: &mut Shell) -> Result<(), Stop> {
    let mut paths = vec![BString::from("/etc/profile")];
    if let Some(home) = shell.get_string("HOME") {
        for name in [".bash_profile", ".bash_login", ".profile"] {
            let path = BString::from(format!("{home}/{name}"));
            if sys::stat(&path, true).is_ok() {
                paths.push(path);
                break;
            }
        }
    }
    for path in paths {
        if sys::stat(&path, true).is_ok() {
            source_file(shell, &path, None).await?;
        }
    }
    Ok(())
}

/// Ends the shell as a signal does: its EXIT trap still runs.
async fn killed(shell: &mut Shell, signal: u8) -> Ending {
    shell.deadly_signal = None;
    if signal != sys::SIGKILL && shell.traps.is_set(Condition::Exit) {
        let _ = shell.run_trap(Condition::Exit).await;
    }
    let _ = shell.flush(b"").await;
    Ending::Signaled(signal)
}

/// Ends the shell: its EXIT trap runs, and what is pending is written.
pub async fn finish(shell: &mut Shell, outcome: Outcome) -> Ending {
    let status = match outcome {
        Ok(status)
        | Err(
            Stop::Exit(status) | Stop::Return(status) | Stop::Discard(status) | Stop::Fatal(status),
        ) => status,
        Err(Stop::Break(_) | Stop::Continue(_)) => shell.status,
        Err(Stop::Signal(signal)) => return killed(shell, signal).await,
    };
    shell.status = status;
    let _ = shell.run_pending_traps().await;
    let mut ending = Ending::Exited(status);
    if shell.traps.is_set(Condition::Exit)
        && let Err(Stop::Exit(status)) = shell.run_trap(Condition::Exit).await
    {
        ending = Ending::Exited(status);
    }
    if let Err(Stop::Signal(signal)) = shell.flush(b"").await {
        ending = Ending::Signaled(signal);
    }
    ending
}
