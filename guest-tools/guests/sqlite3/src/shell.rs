//! The state of the shell and the connection to its database.

use std::io::{self, Write};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, vtab};

use crate::output::Output;
use crate::view::View;
use crate::{functions, locks};

/// How EXPLAIN is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Explain {
    Off,
    On,
    Auto,
}

/// What `.eqp` asks for before each statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryPlan {
    Off,
    On,
    /// The program of the statement, too.
    Full,
}

/// The shell.
pub(crate) struct Shell {
    connection: Option<Connection>,
    /// The file of the database, as it was given.
    pub(crate) file: String,
    pub(crate) is_read_only: bool,
    pub(crate) refuses_links: bool,
    pub(crate) view: View,
    pub(crate) out: Output,
    pub(crate) bails: bool,
    pub(crate) echoes: bool,
    pub(crate) counts_changes: bool,
    pub(crate) explain: Explain,
    pub(crate) query_plan: QueryPlan,
    pub(crate) has_timer: bool,
    pub(crate) is_safe: bool,
    pub(crate) is_interactive: bool,
    /// How many `.read` are within one another.
    pub(crate) depth: usize,
    /// The line that is being run, for messages.
    pub(crate) line: usize,
    /// What a terminal shows before the first line of a statement and before the others.
    pub(crate) prompts: [String; 2],
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self {
            connection: None,
            file: ":memory:".to_owned(),
            is_read_only: false,
            refuses_links: false,
            view: View::default(),
            out: Output::standard(),
            bails: false,
            echoes: false,
            counts_changes: false,
            explain: Explain::Auto,
            query_plan: QueryPlan::Off,
            has_timer: false,
            is_safe: false,
            is_interactive: false,
            depth: 0,
            line: 0,
            prompts: ["sqlite> ".to_owned(), "   ...> ".to_owned()],
        }
    }

    /// Returns the connection, opened now if it is not yet. Ends the program where that fails.
    pub(crate) fn database(&mut self) -> &mut Connection {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => match self.connect(&self.file) {
                Ok(connection) => connection,
                Err(message) => {
                    self.complain(format_args!("{message}"));
                    self.out.reset();
                    process::exit(1);
                }
            },
        };
        self.connection.insert(connection)
    }

    /// Returns the connection and the output beside it.
    pub(crate) fn parts(&mut self) -> (&mut Connection, &mut Output, &View) {
        self.database();
        match &mut self.connection {
            Some(connection) => (connection, &mut self.out, &self.view),
            // It was opened just before, or the program has ended.
            None => process::exit(1),
        }
    }

    /// Opens another database in place of this one.
    pub(crate) fn open(&mut self, file: &str) -> Result<(), String> {
        self.close();
        let connection = self.connect(file);
        file.clone_into(&mut self.file);
        self.connection = Some(match &connection {
            Ok(_) => connection?,
            // As SQLite's shell does, go on with nothing rather than without a database.
            Err(_) => self.connect(":memory:")?,
        });
        Ok(())
    }

    /// Closes the database.
    pub(crate) fn close(&mut self) {
        // A connection is given back only while something of it is in use, which cannot be here.
        if let Some(Err((connection, _))) = self.connection.take().map(Connection::close) {
            drop(connection);
        }
    }

    fn connect(&self, file: &str) -> Result<Connection, String> {
        let mut flags = OpenFlags::SQLITE_OPEN_URI;
        flags |= if self.is_read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
        if self.refuses_links {
            flags |= OpenFlags::SQLITE_OPEN_NOFOLLOW;
        }
        locks::clear(file);
        let connection =
            Connection::open_with_flags(file, flags).map_err(|error| open_message(file, &error))?;
        let prepared = prepare(&connection);
        prepared.map_err(|error| open_message(file, &error))?;
        Ok(connection)
    }

    /// Prints a message on standard error.
    #[expect(clippy::unused_self, reason = "reads as what the shell says")]
    pub(crate) fn complain(&self, message: std::fmt::Arguments<'_>) {
        // Without standard error there is nobody to tell.
        let _ = writeln!(io::stderr(), "{message}");
    }

    /// Writes to the output. Ends the program if that fails.
    pub(crate) fn print(&mut self, text: impl AsRef<[u8]>) {
        let written = self.out.write_all(text.as_ref());
        self.out.settle(written);
    }

    /// Writes out what is held back.
    pub(crate) fn flush(&mut self) {
        let written = self.out.flush();
        self.out.settle(written);
    }
}

fn open_message(file: &str, error: &rusqlite::Error) -> String {
    let message = match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message
            .strip_suffix(&format!(": {file}"))
            .unwrap_or(message)
            .to_owned(),
        error => error.to_string(),
    };
    format!("Error: unable to open database \"{file}\": {message}")
}

/// Makes a connection what the shell's is: its functions, and numbers as texts as in SQLite 3.40.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(locks::TIMEOUT_MS))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    short_numbers(connection);
    functions::add(connection)?;
    vtab::series::load_module(connection)
}

/// Has numbers become texts of 15 digits, where SQLite now has 17.
#[expect(unsafe_code, reason = "rusqlite has no safe call for this setting")]
fn short_numbers(connection: &Connection) {
    const DIGITS: i32 = 15;
    let before: *mut i32 = std::ptr::null_mut();
    // SAFETY: the handle is that of an open connection, and this setting takes an int and a pointer to an int,
    // which may be null.
    unsafe {
        rusqlite::ffi::sqlite3_db_config(
            connection.handle(),
            rusqlite::ffi::SQLITE_DBCONFIG_FP_DIGITS,
            DIGITS,
            before,
        );
    }
}
