//! `wait`: waits for background jobs.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use bstr::BString;

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::jobs::Job;
use crate::runtime::{Ending, LocalFuture};
use crate::state::{Outcome, Refusal, Shell};
use crate::sys;
use crate::variables::is_name;

/// `wait`
pub const WAIT: Builtin = Builtin {
    name: "wait",
    usage: "wait [-fn] [-p var] [id ...]",
    class: Class::Regular,
    run: Run::Waiting(run),
};

/// The status for what is no child.
const NO_CHILD: u8 = 127;

fn run<'a>(shell: &'a mut Shell, invocation: &'a Invocation) -> LocalFuture<'a, Outcome> {
    Box::pin(async move {
        let mut flags = Flags::new(invocation, "fnp:");
        let mut is_next = false;
        let mut variable: Option<BString> = None;
        while let Some(flag) = flags.next(shell, &WAIT) {
            match flag {
                Err(status) => return Ok(status),
                Ok(flag) => match flag.letter {
                    b'n' => is_next = true,
                    b'p' => variable = flag.argument.map(BString::from),
                    _ => {}
                },
            }
        }
        if let Some(name) = &variable {
            if !is_name(name) {
                shell.report_for(b"wait", Refusal::Identifier(name.clone()));
                return Ok(1);
            }
            if let Err(refusal) = shell.unset(name) {
                shell.report_for(b"wait", refusal);
                return Ok(1);
            }
        }
        let words = flags.rest();
        shell.jobs.forget_inherited();
        let outcome = if is_next {
            next(shell, words).await
        } else if words.is_empty() {
            all(shell).await.map(|status| (status, None))
        } else {
            each(shell, words).await
        };
        match outcome {
            Ok((status, pid)) => {
                if let (Some(name), Some(pid)) = (&variable, pid)
                    && let Err(refusal) = shell.set(name, pid.to_string().as_bytes())
                {
                    shell.report_for(b"wait", refusal);
                }
                Ok(status)
            }
            Err(signal) => Ok(128_u8.wrapping_add(signal)),
        }
    })
}

/// Waits for every job; the error is the signal that broke the wait off.
async fn all(shell: &mut Shell) -> Result<u8, u8> {
    while let Some(job) = shell.jobs.list().first().cloned() {
        ended(shell, &job).await?;
    }
    Ok(0)
}

async fn each(shell: &mut Shell, words: &[BString]) -> Result<(u8, Option<u32>), u8> {
    let mut last = (0, None);
    for word in words {
        last = match find(shell, word) {
            Found::Job(job) => (ended(shell, &job).await?.status(), Some(job.pid)),
            Found::Ended(pid, ending) => (ending.status(), Some(pid)),
            Found::Nothing(status) => (status, None),
        };
    }
    // The others that have ended are known by their process ids only from now on, as in bash.
    shell.jobs.forget_ended();
    Ok(last)
}

enum Found {
    Job(Job),
    /// It ended before and left the list.
    Ended(u32, Ending),
    /// Nothing, which was said.
    Nothing(u8),
}

fn find(shell: &mut Shell, word: &BString) -> Found {
    if word.starts_with(b"%") {
        return match super::job_control::find(shell, b"wait", word, false) {
            Some(job) => Found::Job(job),
            None => Found::Nothing(NO_CHILD),
        };
    }
    let is_number = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    let pid = bash_text::arithmetic::parse_integer(word).and_then(|pid| u32::try_from(pid).ok());
    let Some(pid) = pid.filter(|_| is_number) else {
        shell.report_for(
            b"wait",
            format_args!("`{word}': not a pid or valid job spec"),
        );
        return Found::Nothing(1);
    };
    if let Some(job) = shell.jobs.by_pid(pid) {
        return Found::Job(job.clone());
    }
    if let Some(ending) = shell.jobs.remembered(pid) {
        return Found::Ended(pid, ending);
    }
    shell.report_for(
        b"wait",
        format_args!("pid {pid} is not a child of this shell"),
    );
    Found::Nothing(NO_CHILD)
}

/// Waits for a job and takes it out of the list.
async fn ended(shell: &mut Shell, job: &Job) -> Result<Ending, u8> {
    let task = Rc::clone(&job.task);
    let ending = shell.interruptible(task.ended()).await?;
    shell.jobs.remove(job.number);
    if let Ending::Signaled(signal) = ending
        && signal != sys::SIGTERM
    {
        shell.report_signal(signal, job.pid, &job.text);
    }
    Ok(ending)
}

/// `-n`: waits for whichever of the jobs ends first.
async fn next(shell: &mut Shell, words: &[BString]) -> Result<(u8, Option<u32>), u8> {
    let mut jobs = Vec::new();
    if words.is_empty() {
        jobs = shell.jobs.list().to_vec();
    }
    for word in words {
        match find(shell, word) {
            Found::Job(job) => jobs.push(job),
            // What is no longer in the list was waited for.
            Found::Ended(..) => shell.report_for(b"wait", format_args!("{word}: no such job")),
            Found::Nothing(_) => {}
        }
    }
    if jobs.is_empty() {
        return Ok((NO_CHILD, None));
    }
    let tasks: Vec<_> = jobs.iter().map(|job| Rc::clone(&job.task)).collect();
    let first = poll_fn(move |context| {
        for (place, task) in tasks.iter().enumerate() {
            if let Some(ending) = task.ending() {
                return Poll::Ready((place, ending));
            }
            task.wake_at_event(context.waker());
        }
        Poll::Pending
    });
    let (place, ending) = shell.interruptible(first).await?;
    let pid = jobs.get(place).map(|job| job.pid);
    if let Some(job) = jobs.get(place) {
        shell.jobs.remove(job.number);
    }
    Ok((ending.status(), pid))
}
