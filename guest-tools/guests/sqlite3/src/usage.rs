//! What the shell says of itself.

/// Returns the version of the library, the time of its sources and their name.
pub(crate) fn version() -> String {
    let id = rusqlite::Connection::open_in_memory()
        .and_then(|connection| {
            connection.query_row("SELECT sqlite_source_id()", [], |row| {
                row.get::<_, String>(0)
            })
        })
        .unwrap_or_default();
    format!("{} {id}", rusqlite::version())
}

/// The options of the command line.
pub(crate) const OPTIONS: &str = "\
Usage: sqlite3 [OPTIONS] FILENAME [SQL]
FILENAME is a database; it is made if there is none. Without one the
database is in memory. SQL may also be commands that begin with a point.
OPTIONS:
   -ascii -box -column -csv -html -json -line -list
   -markdown -quote -table -tabs
                        set the mode of output
   -bail                stop at the first error
   -batch               read standard input as a script
   -cmd COMMAND         run COMMAND before anything else
   -echo                print statements before they run
   -[no]header          headers on or off
   -help                this text
   -init FILENAME       run a script first
   -newline SEP         what ends a row
   -nofollow            open no symbolic links
   -nullvalue TEXT      what NULL is shown as
   -readonly            open the database for reading only
   -safe                nothing but the database is touched
   -separator SEP       what is between columns
   -version             the version of SQLite
";

/// The commands, one a line.
pub(crate) const COMMANDS: &str = "\
.backup ?DB? FILE        Copies a database (main) into a file
.bail on|off             Whether the first error ends it
.cd DIRECTORY            Changes the working directory
.changes on|off          Whether changed rows are counted
.clone NEWDB             Copies what can be read into a new database
.databases               Lists the databases
.dbinfo ?DB?             What the header of a database says
.dump ?OBJECTS?          Writes the database as SQL
.echo on|off             Whether input is repeated
.eqp on|off|full         Whether the query plan comes before each result
.exit ?CODE?             Ends it
.explain ?on|off|auto?   How EXPLAIN is shown
.fullschema ?--indent?   The schema with the tables of ANALYZE
.headers on|off          Whether names of columns are shown
.help ?PATTERN?          This text
.import FILE TABLE       Reads a file into a table
.indexes ?TABLE?         Names of indexes
.limit ?LIMIT? ?VAL?     Shows or sets a limit
.mode MODE ?OPTIONS?     How results are shown
.nullvalue STRING        What NULL is shown as
.once ?FILE?             Where the next result goes
.open ?OPTIONS? ?FILE?   Opens another database
.output ?FILE?           Where results go
.parameter CMD ...       Values of parameters in SQL
.print STRING...         Writes a text
.prompt MAIN CONTINUE    Changes the prompts
.quit                    Ends it
.read FILE               Runs a script
.restore ?DB? FILE       Reads a database from a file
.save FILE               Copies the database into a file
.schema ?PATTERN?        The statements that made the schema
.separator COL ?ROW?     What is between columns and rows
.sha3sum                 A hash of what is in the database
.shell CMD ARGS...       Runs a command
.show                    Shows the settings
.system CMD ARGS...      Runs a command
.tables ?TABLE?          Names of tables
.timeout MS              How long a lock is waited for
.timer on|off            Whether statements are timed
.version                 Shows the version
.width NUM1 NUM2 ...     Widths of columns
";
