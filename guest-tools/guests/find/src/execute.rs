//! `-exec` and its kin.

use std::io::Write;

use process::Status;

use crate::children::{self, Outcome};
use crate::entry::Entry;
use crate::evaluate::Evaluation;
use crate::expression::{Execution, Expression};
use crate::messages::{quoted, words};

/// How many bytes of arguments one command gets, as GNU find has it.
const ARGUMENT_BYTES_MAX: usize = 128 * 1024;

/// Files gathered for the commands that take many.
#[derive(Default)]
pub struct Batches(Vec<Batch>);

#[derive(Default, Clone)]
struct Batch {
    paths: Vec<String>,
    bytes: usize,
    folder: String,
}

impl Batches {
    /// Returns room for so many commands.
    pub fn new(count: usize) -> Self {
        Self(vec![Batch::default(); count])
    }
}

impl Evaluation {
    /// Runs a command for a file, or gathers the file.
    pub(crate) fn execute(&mut self, execution: &Execution, entry: &Entry) -> bool {
        let (path, folder) = if execution.is_in_folder {
            in_folder(entry)
        } else {
            (entry.path.clone(), None)
        };
        if execution.is_batch {
            self.gather(execution, path, folder.unwrap_or_default());
            return true;
        }
        let command: Vec<String> = execution
            .command
            .iter()
            .map(|argument| argument.replace("{}", &path))
            .collect();
        self.search.output.flush();
        if execution.is_asking && !is_agreed(execution, &path) {
            return false;
        }
        match children::run(&command, folder.as_deref()) {
            Outcome::Ended(status) => status == Status::Exited(0),
            Outcome::NotStarted(errno) => {
                let name = command.first().map(String::as_str).unwrap_or_default();
                // GNU's child says so and ends; find itself goes on as after any failed command.
                crate::messages::report("find", &format!("{}: {}", quoted(name), words(errno)));
                false
            }
        }
    }

    fn gather(&mut self, execution: &Execution, path: String, folder: String) {
        let fixed: usize = execution
            .command
            .iter()
            .map(|argument| argument.len() + 1)
            .sum();
        let Some(batch) = self.batches.0.get_mut(execution.batch) else {
            return;
        };
        let length = path.len() + 1;
        if !batch.paths.is_empty()
            && (fixed + batch.bytes + length > ARGUMENT_BYTES_MAX || batch.folder != folder)
        {
            let full = std::mem::take(batch);
            self.run_batch(execution, full);
        }
        if let Some(batch) = self.batches.0.get_mut(execution.batch) {
            batch.bytes += length;
            batch.folder = folder;
            batch.paths.push(path);
        }
    }

    fn run_batch(&mut self, execution: &Execution, batch: Batch) {
        self.search.output.flush();
        let mut command = execution.command.clone();
        // `{}` is the last word.
        command.pop();
        command.extend(batch.paths);
        let folder = if execution.is_in_folder {
            Some(batch.folder.as_str())
        } else {
            None
        };
        match children::run(&command, folder) {
            Outcome::Ended(Status::Exited(0)) => {}
            Outcome::Ended(_) => self.fail_quietly(),
            Outcome::NotStarted(errno) => {
                let name = command.first().map(String::as_str).unwrap_or_default();
                self.fail(&format!("{}: {}", quoted(name), words(errno)));
            }
        }
    }

    /// Runs what is gathered at the end of the search.
    pub(crate) fn run_batches(&mut self, expression: &Expression) {
        match expression {
            Expression::And(parts) | Expression::Or(parts) | Expression::List(parts) => {
                parts.iter().for_each(|part| self.run_batches(part));
            }
            Expression::Not(inner) => self.run_batches(inner),
            Expression::Execute(execution) if execution.is_batch => {
                let batch = self
                    .batches
                    .0
                    .get_mut(execution.batch)
                    .map(std::mem::take)
                    .unwrap_or_default();
                if !batch.paths.is_empty() {
                    self.run_batch(execution, batch);
                }
            }
            _ => {}
        }
    }
}

/// Returns a path as seen from its folder, and the folder.
fn in_folder(entry: &Entry) -> (String, Option<String>) {
    let folder = entry.path.get(..entry.name_begin).unwrap_or_default();
    let folder = if folder.is_empty() { "." } else { folder };
    let name = entry.name();
    let path = if name == "/" {
        name.to_owned()
    } else {
        format!("./{name}")
    };
    (path, Some(folder.to_owned()))
}

/// Asks the user; without an answer it is a no.
fn is_agreed(execution: &Execution, path: &str) -> bool {
    let name = execution
        .command
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let _ = std::io::stderr()
        .lock()
        .write_all(format!("< {name} ... {path} > ? ").as_bytes());
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(_) => matches!(answer.as_bytes().first(), Some(b'y' | b'Y')),
        Err(_) => false,
    }
}
