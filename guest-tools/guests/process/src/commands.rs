//! A program that is several commands, and knows by the name it is called by which one it is to be.

/// Runs a command: gets its name and its arguments, and returns the exit status.
pub type CommandRun = fn(&str, &[String]) -> u8;

/// The commands of one program.
#[derive(Debug, Clone, Copy)]
pub struct Commands {
    /// What the program calls itself in its own messages.
    pub program: &'static str,
    /// The commands by name, in order: one that is out of order is never found.
    pub table: &'static [(&'static str, CommandRun)],
}

impl Commands {
    /// Returns the names that the program answers to, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.table.iter().map(|(name, _)| *name)
    }

    /// Runs the command that `arguments` begins with; `PROGRAM NAME ...` runs NAME.
    pub fn run(&self, arguments: &[String]) -> u8 {
        let program = self.program;
        let Some((called, rest)) = arguments.split_first() else {
            eprintln!("{program}: missing argument");
            return 1;
        };
        let name = called.rsplit('/').next().unwrap_or(called);
        if let Some(command) = self.find(name) {
            return command(name, rest);
        }
        if let Some((name, rest)) = rest.split_first()
            && let Some(command) = self.find(name)
        {
            return command(name, rest);
        }
        eprintln!("{program}: unknown program '{name}'");
        1
    }

    fn find(&self, name: &str) -> Option<CommandRun> {
        let place = self
            .table
            .binary_search_by_key(&name, |(known, _)| known)
            .ok()?;
        self.table.get(place).map(|(_, command)| *command)
    }
}
