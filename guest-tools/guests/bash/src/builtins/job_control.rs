//! `jobs`, `fg`, `bg`, `disown` and `suspend`.

use std::rc::Rc;

use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::execution::{Lookup, run_words};
use crate::jobs::{Job, JobState};
use crate::runtime::{Ending, LocalFuture};
use crate::state::{Outcome, SetOption, Shell};
use crate::sys;

/// `jobs`
pub const JOBS: Builtin = Builtin {
    name: "jobs",
    usage: "jobs [-lnprs] [jobspec ...] or jobs -x command [args]",
    class: Class::Regular,
    run: Run::Waiting(jobs),
};

/// `fg`
pub const FG: Builtin = Builtin {
    name: "fg",
    usage: "fg [job_spec]",
    class: Class::Regular,
    run: Run::Waiting(fg),
};

/// `bg`
pub const BG: Builtin = Builtin {
    name: "bg",
    usage: "bg [job_spec ...]",
    class: Class::Regular,
    run: Run::Now(bg),
};

/// `disown`
pub const DISOWN: Builtin = Builtin {
    name: "disown",
    usage: "disown [-h] [-ar] [jobspec ... | pid ...]",
    class: Class::Regular,
    run: Run::Now(disown),
};

/// `suspend`
pub const SUSPEND: Builtin = Builtin {
    name: "suspend",
    usage: "suspend [-f]",
    class: Class::Regular,
    run: Run::Now(suspend),
};

/// Finds the job that a word means, or says that there is none.
pub(super) fn find(
    shell: &mut Shell,
    name: &[u8],
    word: &BString,
    takes_pids: bool,
) -> Option<Job> {
    let is_number = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    let found = if takes_pids && is_number {
        let pid =
            bash_text::arithmetic::parse_integer(word).and_then(|pid| u32::try_from(pid).ok());
        pid.and_then(|pid| shell.jobs.by_pid(pid)).ok_or(false)
    } else {
        shell.jobs.find(word)
    };
    match found {
        Ok(job) => Some(job.clone()),
        Err(is_ambiguous) => {
            let what = if is_ambiguous {
                "ambiguous job spec"
            } else {
                "no such job"
            };
            shell.report_for(name, format_args!("{word}: {what}"));
            None
        }
    }
}

/// Returns the job that is meant where none is named.
fn current(shell: &mut Shell, name: &[u8]) -> Option<Job> {
    let job = shell.jobs.current().cloned();
    if job.is_none() {
        shell.report_for(name, "current: no such job");
    }
    job
}

#[derive(Debug, Clone, Copy, Default)]
struct Style {
    is_long: bool,
    is_new_only: bool,
    is_pid_only: bool,
    is_running_only: bool,
    is_stopped_only: bool,
}

fn jobs<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "lpnxrs");
        let mut style = Style::default();
        let mut is_command = false;
        while let Some(flag) = flags.next(shell, &JOBS) {
            match flag {
                Err(status) => return Ok(status),
                Ok(flag) => match flag.letter {
                    b'l' => style.is_long = true,
                    b'p' => style.is_pid_only = true,
                    b'n' => style.is_new_only = true,
                    b'r' => style.is_running_only = true,
                    b's' => style.is_stopped_only = true,
                    _ => is_command = true,
                },
            }
            if is_command {
                break;
            }
        }
        let words = flags.rest();
        if is_command {
            return with_pids(shell, words).await;
        }
        let mut status = 0;
        let mut shown = Vec::new();
        for word in words {
            match find(shell, b"jobs", word, false) {
                Some(job) => shown.push(job),
                None => status = 1,
            }
        }
        if words.is_empty() {
            shown = shell.jobs.list().to_vec();
        }
        for job in shown {
            print(shell, &job, style);
        }
        Ok(status)
    })
}

/// `jobs -x`: runs a command with process ids for job specifications.
async fn with_pids(shell: &mut Shell, words: &[BString]) -> Outcome {
    let mut command = Vec::with_capacity(words.len());
    for word in words {
        match shell.jobs.find(word) {
            Ok(job) if word.starts_with(b"%") => command.push(BString::from(job.pid.to_string())),
            _ => command.push(word.clone()),
        }
    }
    if command.is_empty() {
        return Ok(0);
    }
    run_words(shell, command, Lookup::ALL).await
}

fn print(shell: &mut Shell, job: &Job, style: Style) {
    let state = job.state();
    let is_running = state == JobState::Running;
    if style.is_stopped_only
        || (style.is_running_only && !is_running)
        || (style.is_new_only && job.is_reported.get())
    {
        return;
    }
    if style.is_pid_only {
        shell.print(format!("{}\n", job.pid).as_bytes());
        return;
    }
    let mark = if shell
        .jobs
        .current()
        .is_some_and(|current| current.number == job.number)
    {
        '+'
    } else if shell
        .jobs
        .previous()
        .is_some_and(|previous| previous.number == job.number)
    {
        '-'
    } else {
        ' '
    };
    let what = describe(state);
    let mut line = format!("[{}]{mark} ", job.number);
    if style.is_long {
        line.push_str(&format!("{} {what:<24}", job.pid));
    } else {
        line.push_str(&format!(" {what:<24}"));
    }
    let mut line = line.into_bytes();
    line.extend_from_slice(&job.text);
    if is_running {
        line.extend_from_slice(b" &");
    }
    line.push(b'\n');
    shell.print(&line);
    job.is_reported.set(true);
    if !is_running {
        shell.jobs.remove(job.number);
    }
}

fn describe(state: JobState) -> String {
    match state {
        JobState::Running => "Running".to_owned(),
        JobState::Done(Ending::Exited(0)) => "Done".to_owned(),
        JobState::Done(Ending::Exited(status)) => format!("Exit {status}"),
        JobState::Done(Ending::Signaled(signal)) => bash_text::signal::description(signal)
            .map_or_else(|| format!("Signal {signal}"), str::to_owned),
    }
}

fn has_job_control(shell: &mut Shell, name: &[u8]) -> bool {
    let has = shell.options.has(SetOption::Monitor);
    if !has {
        shell.report_for(name, "no job control");
    }
    has
}

fn fg<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "");
        if let Some(Err(status)) = flags.next(shell, &FG) {
            return Ok(status);
        }
        if !has_job_control(shell, b"fg") {
            return Ok(1);
        }
        let job = match flags.rest().first() {
            Some(word) => find(shell, b"fg", word, true),
            None => current(shell, b"fg"),
        };
        let Some(job) = job else { return Ok(1) };
        let mut line = job.text.to_vec();
        line.push(b'\n');
        shell.print(&line);
        shell.flush(b"fg").await?;
        let _ = shell.send_signal(sys::signed(job.task.own_pid()), sys::SIGCONT);
        let ending = job.task.ended().await;
        shell.jobs.remove(job.number);
        Ok(ending.status())
    })
}

fn bg(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "");
    if let Some(Err(status)) = flags.next(shell, &BG) {
        return Ok(status);
    }
    if !has_job_control(shell, b"bg") {
        return Ok(1);
    }
    let mut wanted = Vec::new();
    let mut status = 0;
    if flags.rest().is_empty() {
        wanted.extend(current(shell, b"bg"));
        status = u8::from(wanted.is_empty());
    }
    for word in flags.rest() {
        match find(shell, b"bg", word, true) {
            Some(job) => wanted.push(job),
            None => status = 1,
        }
    }
    for job in wanted {
        if job.state() == JobState::Running {
            shell.report_for(
                b"bg",
                format_args!("job {} already in background", job.number),
            );
        } else {
            shell.report_for(b"bg", "job has terminated");
            status = 1;
        }
    }
    Ok(status)
}

fn disown(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "ahr");
    let (mut is_all, mut only_spares, mut is_running_only) = (false, false, false);
    while let Some(flag) = flags.next(shell, &DISOWN) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => match flag.letter {
                b'a' => is_all = true,
                b'h' => only_spares = true,
                _ => is_running_only = true,
            },
        }
    }
    let mut status = 0;
    let mut wanted = Vec::new();
    if flags.rest().is_empty() {
        if is_all || is_running_only {
            wanted = shell.jobs.list().to_vec();
            if is_running_only {
                wanted.retain(|job| job.state() == JobState::Running);
            }
        } else {
            wanted.extend(current(shell, b"disown"));
            status = u8::from(wanted.is_empty());
        }
    }
    for word in flags.rest() {
        match find(shell, b"disown", word, true) {
            Some(job) => wanted.push(job),
            None => status = 1,
        }
    }
    for job in wanted {
        shell.task.release(&job.task);
        if only_spares {
            let jobs = shell.jobs.list_mut();
            jobs.iter_mut()
                .filter(|other| Rc::ptr_eq(&other.task, &job.task))
                .for_each(|job| job.is_spared = true);
        } else {
            shell
                .jobs
                .list_mut()
                .retain(|other| other.number != job.number);
        }
    }
    Ok(status)
}

fn suspend(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "f");
    while let Some(flag) = flags.next(shell, &SUSPEND) {
        if let Err(status) = flag {
            return Ok(status);
        }
    }
    // Nobody could wake a shell that nobody sits at.
    shell.report_for(b"suspend", "cannot suspend: no job control");
    Ok(1)
}
