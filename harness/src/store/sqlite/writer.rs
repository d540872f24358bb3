//! Writes: one thread owns the only writing connection and commits in groups.
//!
//! Commands that wait while a commit is on its way to the disk share the next one, so the cost of a
//! sync is divided among them. Each runs in a savepoint: one that is refused leaves the others alone.
//! Nothing is answered, and no growth is told, before the commit that holds it has returned.

use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{SqliteOptions, schema};
use crate::crash_point;
use crate::ids::SessionId;
use crate::store::{LogGrew, StoreError};

/// Commands that wait for the thread; a caller beyond them waits asynchronously.
const QUEUE_MAX: usize = 1_024;
/// Commands in one commit. More would make the first of them wait too long for the last.
const BATCH_MAX: usize = 256;

/// What a command works with.
pub(super) struct Unit<'a> {
    /// The connection, inside the command's savepoint.
    pub(super) db: &'a Connection,
    grown: &'a mut Vec<LogGrew>,
}

impl<'a> Unit<'a> {
    /// Returns a command's unit; what it grows is noted in `grown`.
    pub(super) fn new(db: &'a Connection, grown: &'a mut Vec<LogGrew>) -> Self {
        Self { db, grown }
    }

    /// Tells subscribers, once this command is committed, that a log's last number is now `last`.
    pub(super) fn grew(&mut self, session_id: &SessionId, last: u64) {
        self.grown.push(LogGrew {
            session_id: session_id.clone(),
            last,
        });
    }
}

/// The thread's handle. Dropping it lets the thread finish what is queued and waits for that.
pub(super) struct Writer {
    commands: Option<mpsc::Sender<Box<dyn Command>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the database and starts the thread.
    pub(super) fn start(
        options: Arc<SqliteOptions>,
        growth: broadcast::Sender<LogGrew>,
    ) -> Result<Self, StoreError> {
        let db = schema::open_writer(&options)?;
        let (commands, queue) = mpsc::channel(QUEUE_MAX);
        let committer = Committer {
            options,
            db: Some(db),
            growth,
        };
        let thread = std::thread::Builder::new()
            .name("sinew-store".to_owned())
            .spawn(move || committer.serve(queue))
            .map_err(|e| StoreError::Failed(format!("cannot start the store's thread: {e}")))?;
        Ok(Self {
            commands: Some(commands),
            thread: Some(thread),
        })
    }

    /// Runs `run` in the next commit and returns once that is durable. `run` may be called again when
    /// the first commit it was in came to nothing.
    pub(super) async fn run<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Unit<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let stopped = || StoreError::Failed("the store's thread has stopped".to_owned());
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task {
            run,
            outcome: None,
            reply,
        });
        let commands = self.commands.as_ref().ok_or_else(stopped)?;
        commands.send(task).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // An error is a panic of the thread, which its callers have already heard of.
            let _ = thread.join();
        }
    }
}

/// A queued write with the way back to its caller.
trait Command: Send {
    /// Runs it, keeps the outcome, and returns the error if it is one.
    fn run(&mut self, unit: &mut Unit<'_>) -> Option<&StoreError>;

    /// Answers the caller: the kept outcome if the commit succeeded.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Task<T, F> {
    run: F,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Command for Task<T, F>
where
    T: Send,
    F: FnMut(&mut Unit<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, unit: &mut Unit<'_>) -> Option<&StoreError> {
        let outcome = self.outcome.insert((self.run)(unit));
        outcome.as_ref().err()
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        let unrun = || Err(StoreError::Failed("the write did not run".to_owned()));
        // Even a refusal counts only if its commit did: it may rest on a write that was lost with it.
        let result = committed.and_then(|()| outcome.unwrap_or_else(unrun));
        // A caller that stopped waiting changes nothing.
        let _ = reply.send(result);
    }
}

struct Committer {
    options: Arc<SqliteOptions>,
    /// Absent after a failure that leaves the connection in doubt; the next commit opens it anew.
    db: Option<Connection>,
    growth: broadcast::Sender<LogGrew>,
}

impl Committer {
    fn serve(mut self, mut queue: mpsc::Receiver<Box<dyn Command>>) {
        while let Some(first) = queue.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(next) = queue.try_recv()
            {
                batch.push(next);
            }
            self.serve_batch(batch);
        }
    }

    fn serve_batch(&mut self, mut batch: Vec<Box<dyn Command>>) {
        match self.commit(&mut batch) {
            Ok(()) => batch.into_iter().for_each(|command| command.finish(Ok(()))),
            // One large write may have used up the space that the small ones beside it still have.
            Err(StoreError::Full) if batch.len() > 1 => {
                for mut command in batch {
                    let committed = self.commit(std::slice::from_mut(&mut command));
                    command.finish(committed);
                }
            }
            Err(error) => {
                tracing::error!(%error, commands = batch.len(), "a commit failed");
                for command in batch {
                    command.finish(Err(again(&error)));
                }
            }
        }
    }

    fn commit(&mut self, batch: &mut [Box<dyn Command>]) -> Result<(), StoreError> {
        let db = match self.db.take() {
            Some(db) => db,
            None => schema::open_writer(&self.options)?,
        };
        let mut grown = Vec::new();
        let committed = transact(&db, batch, &mut grown);
        let is_sound = db.is_autocommit() || db.execute_batch("ROLLBACK").is_ok();
        if is_sound && !matches!(committed, Err(StoreError::Failed(_))) {
            self.db = Some(db);
        }
        committed?;
        for growth in grown {
            // Fails only when nobody listens.
            let _ = self.growth.send(growth);
        }
        Ok(())
    }
}

/// Runs every command of `batch` in one transaction. After an error nothing of it is in the database,
/// but the transaction may still be open.
fn transact(
    db: &Connection,
    batch: &mut [Box<dyn Command>],
    grown: &mut Vec<LogGrew>,
) -> Result<(), StoreError> {
    let step = |sql| db.prepare_cached(sql)?.execute(());
    crash_point::reach("commit-before-begin");
    step("BEGIN IMMEDIATE")?;
    for command in batch {
        step("SAVEPOINT command")?;
        let grown_before = grown.len();
        let mut unit = Unit::new(db, grown);
        if let Some(error) = command.run(&mut unit) {
            // A full disk or a failed read makes SQLite give up the whole transaction by itself.
            if db.is_autocommit() {
                return Err(again(error));
            }
            grown.truncate(grown_before);
            step("ROLLBACK TO command")?;
        }
        step("RELEASE command")?;
        crash_point::reach("commit-after-command");
    }
    crash_point::reach("commit-before-commit");
    step("COMMIT")?;
    crash_point::reach("commit-after-commit");
    Ok(())
}

/// Returns the failure of a commit for one more of its callers.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::InUse(text) => StoreError::InUse(text.clone()),
        StoreError::Failed(text) => StoreError::Failed(text.clone()),
        other => StoreError::Failed(other.to_string()),
    }
}
