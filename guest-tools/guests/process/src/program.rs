//! Starting programs by name, in the shape of std's `Command`, which Wasm lacks.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::{
    Child, Command, Descriptor, Errno, Event, OpenHow, Status, absolute, current_directory, given,
    is_executable, kill, open, pipe, processes, spawn, standard, stat, wait,
};

/// The search path where there is no `PATH`.
const PATH: &[u8] = b"/usr/local/bin:/usr/bin:/bin";
/// How often a stopped child is looked at: the wait does not wait for it to go on.
const STOPPED_LOOK: Duration = Duration::from_millis(50);

/// Where a standard stream of a child comes from or goes to.
#[derive(Debug, Default)]
pub enum Stdio {
    /// This process's own.
    #[default]
    Inherit,
    /// `/dev/null`.
    Null,
    /// A new pipe, whose other end [`Running`] has.
    Piped,
    /// An open file or pipe.
    Descriptor(Rc<Descriptor>),
}

impl From<Descriptor> for Stdio {
    fn from(descriptor: Descriptor) -> Self {
        Self::Descriptor(Rc::new(descriptor))
    }
}

/// A program to be started. It inherits the environment, the working directory, the umask, the ignored signals and
/// all descriptors that this process was given.
#[derive(Debug)]
pub struct Program {
    name: Vec<u8>,
    called: Option<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
    environment: BTreeMap<Vec<u8>, Vec<u8>>,
    directory: Option<Vec<u8>>,
    streams: [Stdio; 3],
    group: Option<u32>,
    ignored: Option<u64>,
}

/// What a program left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: Status,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
}

/// A started program with this process's ends of its pipes.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub child: Child,
    /// Writes to its standard input, if that is piped. Dropping it ends the input.
    pub stdin: Option<Descriptor>,
    /// Reads its standard output, if that is piped.
    pub stdout: Option<Descriptor>,
    /// Reads its standard error, if that is piped.
    pub stderr: Option<Descriptor>,
}

impl Program {
    /// Returns a program by its name, which is looked up in `PATH`, or by its path.
    pub fn new(name: impl AsRef<[u8]>) -> Self {
        let environment = std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.as_encoded_bytes().to_vec(),
                    value.as_encoded_bytes().to_vec(),
                )
            })
            .collect();
        Self {
            name: name.as_ref().to_vec(),
            called: None,
            arguments: Vec::new(),
            environment,
            directory: None,
            streams: Default::default(),
            group: None,
            ignored: None,
        }
    }

    /// Sets `argv[0]`, which is otherwise the name as given.
    pub fn called(&mut self, name: impl AsRef<[u8]>) -> &mut Self {
        self.called = Some(name.as_ref().to_vec());
        self
    }

    /// Adds an argument.
    pub fn arg(&mut self, argument: impl AsRef<[u8]>) -> &mut Self {
        self.arguments.push(argument.as_ref().to_vec());
        self
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item = A>, A: AsRef<[u8]>>(&mut self, arguments: I) -> &mut Self {
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_vec()),
        );
        self
    }

    /// Sets a variable.
    pub fn env(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.environment
            .insert(name.as_ref().to_vec(), value.as_ref().to_vec());
        self
    }

    /// Removes a variable.
    pub fn env_remove(&mut self, name: impl AsRef<[u8]>) -> &mut Self {
        self.environment.remove(name.as_ref());
        self
    }

    /// Removes all variables.
    pub fn env_clear(&mut self) -> &mut Self {
        self.environment.clear();
        self
    }

    /// Sets the working directory.
    pub fn dir(&mut self, path: impl AsRef<[u8]>) -> &mut Self {
        self.directory = Some(absolute(path.as_ref()));
        self
    }

    /// Sets the standard input.
    pub fn stdin(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        let [place, _, _] = &mut self.streams;
        *place = stream.into();
        self
    }

    /// Sets the standard output.
    pub fn stdout(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        let [_, place, _] = &mut self.streams;
        *place = stream.into();
        self
    }

    /// Sets the standard error.
    pub fn stderr(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        let [_, _, place] = &mut self.streams;
        *place = stream.into();
        self
    }

    /// Sets the process group: 0 is a new one.
    pub fn group(&mut self, group: u32) -> &mut Self {
        self.group = Some(group);
        self
    }

    /// Sets the signals that it ignores: bit n stands for signal n.
    pub fn ignored(&mut self, signals: u64) -> &mut Self {
        self.ignored = Some(signals);
        self
    }

    /// Starts it.
    ///
    /// What this process holds back in std's buffers is not written before: flush where the order matters.
    /// [`Errno::NoEntry`] if there is no such program. A file that is neither a program nor begins with `#!` is
    /// run by `/bin/sh`, as execvp(3) does.
    pub fn spawn(&self) -> Result<Running, Errno> {
        let path = self.path()?;
        let directory = self.directory.clone().unwrap_or_else(current_directory);
        let mut ends = [None, None, None];
        let mut descriptors: BTreeMap<u32, Rc<Descriptor>> = BTreeMap::new();
        for number in given() {
            if number > 2
                && let Some(descriptor) = standard(number)
            {
                descriptors.insert(number, descriptor);
            }
        }
        for ((number, stream), end) in (0..).zip(&self.streams).zip(&mut ends) {
            if let Some(descriptor) = open_stream(number, stream, end)? {
                descriptors.insert(number, descriptor);
            }
        }
        let mut command = Command {
            program: &path,
            arguments: vec![self.called.as_ref().unwrap_or(&self.name)],
            environment: self
                .environment
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect(),
            directory: &directory,
            descriptors: descriptors
                .iter()
                .map(|(number, descriptor)| (*number, &**descriptor))
                .collect(),
            group: self.group,
            umask: processes::umask(),
            ignored: self.ignored.unwrap_or_else(processes::ignored),
        };
        command
            .arguments
            .extend(self.arguments.iter().map(Vec::as_slice));
        let child = match spawn(&command) {
            Err(Errno::ExecFormat) => {
                command.program = b"/bin/sh";
                command.arguments = vec![b"sh", &path];
                command
                    .arguments
                    .extend(self.arguments.iter().map(Vec::as_slice));
                spawn(&command)?
            }
            outcome => outcome?,
        };
        let [stdin, stdout, stderr] = ends;
        Ok(Running {
            child,
            stdin,
            stdout,
            stderr,
        })
    }

    /// Runs it to its end.
    pub fn status(&self) -> Result<Status, Errno> {
        Ok(self.spawn()?.wait())
    }

    /// Runs it to its end and returns what it wrote. Its standard output and error are pipes, whatever was set.
    pub fn output(&mut self) -> Result<Output, Errno> {
        self.output_of(b"")
    }

    /// As [`Self::output`], with `input` as its standard input if that is [`Stdio::Piped`].
    pub fn output_of(&mut self, input: &[u8]) -> Result<Output, Errno> {
        self.stdout(Stdio::Piped).stderr(Stdio::Piped);
        self.spawn()?.communicate(input)
    }

    fn path(&self) -> Result<Vec<u8>, Errno> {
        if self.name.contains(&b'/') {
            // A relative path counts from the directory that the program starts in, as after chdir(2).
            return Ok(match &self.directory {
                Some(directory) if !self.name.starts_with(b"/") => {
                    [directory.as_slice(), b"/", &self.name].concat()
                }
                _ => absolute(&self.name),
            });
        }
        let variable = self.environment.get(b"PATH".as_slice());
        let path = variable.map_or(PATH, Vec::as_slice);
        if let Some(found) = find_in_path(&self.name, path) {
            return Ok(found);
        }
        Err(if is_in_path(&self.name, path) {
            Errno::Access
        } else {
            Errno::NoEntry
        })
    }
}

/// Returns the first executable file with a name in the folders of a search path.
pub fn find_in_path(name: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    if name.is_empty() {
        return None;
    }
    candidates(name, path).find(|candidate| is_executable(candidate))
}

fn is_in_path(name: &[u8], path: &[u8]) -> bool {
    !name.is_empty() && candidates(name, path).any(|candidate| stat(candidate, true).is_ok())
}

fn candidates(name: &[u8], path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    path.split(|byte| *byte == b':').map(move |folder| {
        let mut candidate = if folder.is_empty() {
            current_directory()
        } else {
            absolute(folder)
        };
        if candidate.last() != Some(&b'/') {
            candidate.push(b'/');
        }
        candidate.extend_from_slice(name);
        candidate
    })
}

/// Returns the child's descriptor, and puts our end of a new pipe into `end`.
fn open_stream(
    number: u32,
    stream: &Stdio,
    end: &mut Option<Descriptor>,
) -> Result<Option<Rc<Descriptor>>, Errno> {
    match stream {
        Stdio::Inherit => Ok(standard(number)),
        Stdio::Null => {
            let how = if number == 0 {
                OpenHow::READ
            } else {
                OpenHow {
                    create: false,
                    ..OpenHow::WRITE
                }
            };
            open("/dev/null", how, 0).map(|descriptor| Some(Rc::new(descriptor)))
        }
        Stdio::Piped => {
            let (reader, writer) = pipe()?;
            let (theirs, ours) = if number == 0 {
                (reader, writer)
            } else {
                (writer, reader)
            };
            *end = Some(ours);
            Ok(Some(Rc::new(theirs)))
        }
        Stdio::Descriptor(descriptor) => Ok(Some(Rc::clone(descriptor))),
    }
}

impl Running {
    /// Returns its process's number.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Ends its input and waits for its end.
    pub fn wait(&mut self) -> Status {
        self.stdin = None;
        loop {
            match self.child.status() {
                Some(Status::Stopped(_)) => {
                    wait(&[], Some(STOPPED_LOOK));
                }
                Some(status) => return status,
                None => {
                    wait(&[Event::Changed(&self.child)], None);
                }
            }
        }
    }

    /// Returns how it ended, if it did.
    pub fn try_wait(&self) -> Option<Status> {
        self.child
            .status()
            .filter(|status| !matches!(status, Status::Stopped(_)))
    }

    /// Sends it a signal.
    pub fn kill(&self, signal: u8) -> Result<(), Errno> {
        if self.try_wait().is_some() {
            return Ok(());
        }
        kill(
            i32::try_from(self.pid()).map_err(|_| Errno::NoProcess)?,
            signal,
        )
    }

    /// Writes `input` to its standard input, reads its outputs to their ends and waits for it.
    pub fn communicate(mut self, mut input: &[u8]) -> Result<Output, Errno> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            if input.is_empty() {
                self.stdin = None;
            }
            let mut events = Vec::new();
            events.extend(self.stdin.as_ref().map(Event::Writable));
            events.extend(self.stdout.as_ref().map(Event::Readable));
            events.extend(self.stderr.as_ref().map(Event::Readable));
            if events.is_empty() {
                break;
            }
            wait(&events, None);
            if let Some(stdin) = &self.stdin {
                match stdin.write(input) {
                    Ok(written) => input = input.get(written..).unwrap_or_default(),
                    Err(Errno::Again) => {}
                    // It reads no more: what it writes still counts.
                    Err(_) => input = b"",
                }
            }
            take_output(&mut self.stdout, &mut stdout)?;
            take_output(&mut self.stderr, &mut stderr)?;
        }
        Ok(Output {
            status: self.wait(),
            stdout,
            stderr,
        })
    }
}

fn take_output(stream: &mut Option<Descriptor>, all: &mut Vec<u8>) -> Result<(), Errno> {
    let Some(descriptor) = stream else {
        return Ok(());
    };
    match descriptor.read(65_536) {
        Ok(bytes) if bytes.is_empty() => *stream = None,
        Ok(bytes) => all.extend_from_slice(&bytes),
        Err(Errno::Again) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
