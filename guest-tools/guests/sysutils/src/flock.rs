//! flock: runs a command while it holds a lock on a file.
//!
//! A hand's kernel keeps no locks. One is a small file in a folder of the temporary directory that is named after the
//! locked file's place on its disk, and holds the number of the process that has it: all processes of a hand that use
//! flock respect it, other hands on the same files do not. Who has ended holds nothing. A lock on a descriptor
//! (`flock 9`) would last until that is closed, which cannot be seen here, so it is refused instead of not kept.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gnu_options::named::{self, Item, Order};

use crate::child::{self, Start};
use crate::quoting;
use crate::report::{self, complain, reason, usage};

/// The folder of the locks, in the temporary directory.
const FOLDER: &str = ".flock";
/// How often a lock that somebody else holds is tried again.
const PAUSE: Duration = Duration::from_millis(10);
/// sysexits(3): what is asked for is not there.
const UNAVAILABLE: u8 = 69;
/// sysexits(3): wrong use.
const MISUSED: u8 = 64;
/// sysexits(3): the file cannot be had.
const NO_INPUT: u8 = 66;

const HELP: &str = "\
Usage: flock [OPTION]... FILE COMMAND [ARG]...
  or:  flock [OPTION]... FILE -c 'COMMAND'
Runs a command while it holds a lock on FILE, which is made if it is not there.

  -s, --shared                 others may hold a shared lock, too
  -x, -e, --exclusive          nobody else holds it (default)
  -n, --nb, --nonblock         fails where the lock is held
  -w, --wait, --timeout=SECS   waits for so long
  -E, --conflict-exit-code=N   the status when the lock is held (default 1)
  -o, --close; -F, --no-fork   accepted
  -c, --command=COMMAND        has the shell run COMMAND

The lock is kept among the processes of this machine that use flock. Locks on descriptors are not kept.
";

/// Runs flock.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let wishes = match Wishes::read(program, arguments) {
        Ok(wishes) => wishes,
        Err(status) => return status,
    };
    let Some((file, words)) = wishes.words.split_first() else {
        return usage(program, "not enough arguments", MISUSED);
    };
    let words = match (&wishes.command, words) {
        (Some(command), _) => vec!["sh".to_owned(), "-c".to_owned(), command.clone()],
        // `flock FILE -c COMMAND`
        (None, [flag, command]) if flag == "-c" || flag == "--command" => {
            vec!["sh".to_owned(), "-c".to_owned(), command.clone()]
        }
        (None, []) if file.bytes().all(|byte| byte.is_ascii_digit()) => {
            complain(
                program,
                format_args!(
                    "{file}: a lock on a descriptor is not kept here; use 'flock FILE COMMAND'"
                ),
            );
            return UNAVAILABLE;
        }
        (None, []) => return usage(program, "requires a command to run", MISUSED),
        (None, words) => words.to_vec(),
    };
    let lock = match Lock::of(Path::new(file), wishes.is_shared) {
        Ok(lock) => lock,
        Err(error) => {
            let message = format_args!("cannot open lock file {file}: {}", reason(&error));
            complain(program, message);
            return NO_INPUT;
        }
    };
    match lock.take(wishes.patience) {
        Ok(true) => {}
        Ok(false) => return wishes.conflict,
        Err(error) => {
            complain(program, format_args!("{file}: {}", reason(&error)));
            return 1;
        }
    }
    let status = child::run(program, &Start::new(&words));
    lock.release();
    status
}

struct Wishes {
    is_shared: bool,
    /// How long to wait; none: for ever.
    patience: Option<Duration>,
    conflict: u8,
    command: Option<String>,
    words: Vec<String>,
}

impl Wishes {
    fn read(program: &str, arguments: &[String]) -> Result<Self, u8> {
        let known = "s/shared x/exclusive e u/unlock n/nonblock nb w/wait= timeout= \
                     E/conflict-exit-code= o/close F/no-fork c/command= verbose";
        let items = named::parse(arguments, known, Order::First)
            .map_err(|message| usage(program, message, MISUSED))?;
        let mut wishes = Self {
            is_shared: false,
            patience: None,
            conflict: 1,
            command: None,
            words: Vec::new(),
        };
        for item in items {
            match item {
                Item::Operand(word) => wishes.words.push(word),
                Item::Option("help", _) => return Err(report::help(HELP)),
                Item::Option("version", _) => return Err(report::version(program)),
                Item::Option("shared", _) => wishes.is_shared = true,
                Item::Option("exclusive" | "e", _) => wishes.is_shared = false,
                Item::Option("nonblock" | "nb", _) => wishes.patience = Some(Duration::ZERO),
                Item::Option("wait" | "timeout", value) => {
                    let text = value.unwrap_or_default();
                    let seconds = text
                        .parse()
                        .ok()
                        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                    let Some(seconds) = seconds else {
                        let message =
                            format_args!("invalid timeout value {}", quoting::quoted(&text));
                        return Err(usage(program, message, MISUSED));
                    };
                    wishes.patience = Some(seconds);
                }
                Item::Option("conflict-exit-code", value) => {
                    let text = value.unwrap_or_default();
                    wishes.conflict = text.parse().map_err(|_| {
                        usage(
                            program,
                            "exit code out of range (expected 0 to 255)",
                            MISUSED,
                        )
                    })?;
                }
                Item::Option("command", value) => wishes.command = value,
                Item::Option(..) => {}
            }
        }
        Ok(wishes)
    }
}

/// The lock of a file.
struct Lock {
    folder: PathBuf,
    /// The file's place on its disk.
    name: String,
    is_shared: bool,
}

impl Lock {
    fn of(file: &Path, is_shared: bool) -> io::Result<Self> {
        if !file.is_dir() {
            OpenOptions::new().append(true).create(true).open(file)?;
        }
        let stat = process::stat(file.as_os_str().as_encoded_bytes(), true)?;
        let folder = Path::new(&process::temporary_directory()).join(FOLDER);
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            name: format!("{:x}-{:x}", stat.device, stat.inode),
            is_shared,
        })
    }

    /// Takes the lock; false when somebody else held it all the time.
    fn take(&self, patience: Option<Duration>) -> io::Result<bool> {
        let start = Instant::now();
        loop {
            if self.attempt()? {
                return Ok(true);
            }
            if patience.is_some_and(|patience| start.elapsed() >= patience) {
                return Ok(false);
            }
            process::wait(&[], Some(PAUSE));
        }
    }

    /// Puts our file there first and looks at the others' then, so that of two at once at most one succeeds.
    fn attempt(&self) -> io::Result<bool> {
        let own = self.own();
        let made = OpenOptions::new().write(true).create_new(true).open(&own);
        match made {
            Ok(mut file) => file.write_all(process::pid().to_string().as_bytes())?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.drop_if_ended(&own);
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        let exclusive = self.folder.join(format!("{}.x", self.name));
        let mut others = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_sharer = name
                .strip_prefix(&self.name)
                .is_some_and(|rest| rest.starts_with(".s."));
            if path != own && (path == exclusive || (is_sharer && !self.is_shared)) {
                others.push(path.clone());
            }
        }
        others.retain(|path| !self.drop_if_ended(path));
        if others.is_empty() {
            return Ok(true);
        }
        fs::remove_file(&own)?;
        Ok(false)
    }

    fn own(&self) -> PathBuf {
        self.folder.join(if self.is_shared {
            format!("{}.s.{}", self.name, process::pid())
        } else {
            format!("{}.x", self.name)
        })
    }

    /// Removes a holder that has ended; true when it is gone.
    fn drop_if_ended(&self, path: &Path) -> bool {
        let holder = fs::read_to_string(path).unwrap_or_default();
        // Without a number it is being written just now.
        let Ok(holder) = holder.parse::<i32>() else {
            return !path.exists();
        };
        if process::kill(holder, 0) != Err(process::Errno::NoProcess) {
            return false;
        }
        let _ = fs::remove_file(path);
        true
    }

    fn release(&self) {
        let _ = fs::remove_file(self.own());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn lock(folder: &Path, is_shared: bool) -> Lock {
        Lock {
            folder: folder.to_owned(),
            name: "1-2".to_owned(),
            is_shared,
        }
    }

    #[test]
    fn exclusive_locks_keep_all_others_out() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (lock(folder.path(), false), lock(folder.path(), false));
        let shared = lock(folder.path(), true);
        assert!(one.attempt().unwrap());
        assert!(!two.attempt().unwrap());
        assert!(!shared.attempt().unwrap());
        one.release();
        assert!(shared.attempt().unwrap());
        assert!(!two.attempt().unwrap());
        shared.release();
        assert!(two.attempt().unwrap());
    }

    #[test]
    fn who_has_ended_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let own = lock(folder.path(), false);
        // No process has this number.
        fs::write(own.own(), i32::MAX.to_string()).unwrap();
        assert!(!own.attempt().unwrap());
        assert!(own.attempt().unwrap());
    }
}
