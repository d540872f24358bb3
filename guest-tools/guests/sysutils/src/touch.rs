//! touch: sets the times of files, and makes those that are missing.

use std::io;
use std::path::Path;

use gnu_options::named::{self, Item, Order};
use process::OpenHow;

use crate::clock;
use crate::quoting::{curly, quoted};
use crate::report::{self, complain, reason, usage};
use crate::system::{self, Moment, NewTime};

const SPECIFICATION: &str = "a c/no-create d/date= f h/no-dereference m r/reference= t= time=";

const HELP: &str = "Usage: touch [OPTION]... FILE...
Update the access and modification times of each FILE to the current time.
A FILE that does not exist is created empty, unless -c or -h is supplied.

  -a                     change only the access time
  -c, --no-create        do not create any files
  -d, --date=STRING      parse STRING and use it instead of current time
  -f                     (ignored)
  -h, --no-dereference   affect each symbolic link instead of any referenced file
  -m                     change only the modification time
  -r, --reference=FILE   use this file's times instead of current time
  -t STAMP               use [[CC]YY]MMDDhhmm[.ss] instead of current time
      --time=WORD        change the specified time: access, atime, use (-a), modify, mtime (-m)
";

#[derive(Default)]
struct Settings {
    accesses: bool,
    modifies: bool,
    does_not_create: bool,
    is_link: bool,
    /// The times to set; the current ones are those of each file's turn.
    times: Option<(Moment, Moment)>,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut settings = Settings::default();
    let (mut date, mut reference, mut stamp) = (None, None, None);
    let mut names = Vec::new();
    for item in items {
        match item {
            Item::Operand(name) => names.push(name),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("a", _) => settings.accesses = true,
            Item::Option("m", _) => settings.modifies = true,
            Item::Option("no-create", _) => settings.does_not_create = true,
            Item::Option("no-dereference", _) => settings.is_link = true,
            Item::Option("date", value) => date = value,
            Item::Option("reference", value) => reference = value,
            Item::Option("t", value) => {
                let text = value.unwrap_or_default();
                match self::stamp(&text) {
                    Some(moment) => stamp = Some(moment),
                    None => {
                        complain(
                            program,
                            format_args!("invalid date format {}", curly(&text)),
                        );
                        return 1;
                    }
                }
            }
            Item::Option("time", value) => match value.as_deref().unwrap_or_default() {
                "atime" | "access" | "use" => settings.accesses = true,
                "mtime" | "modify" => settings.modifies = true,
                word => {
                    let message = format!(
                        "invalid argument {} for ‘--time’\nValid arguments are:\n  - ‘atime’, ‘access’, ‘use’\n  - ‘mtime’, ‘modify’",
                        curly(word)
                    );
                    return usage(program, message, 1);
                }
            },
            Item::Option(..) => {}
        }
    }
    if !settings.accesses && !settings.modifies {
        (settings.accesses, settings.modifies) = (true, true);
    }
    if stamp.is_some() && (date.is_some() || reference.is_some()) {
        return usage(program, "cannot specify times from more than one source", 1);
    }
    settings.times = match times(
        program,
        stamp,
        date.as_deref(),
        reference.as_deref(),
        settings.is_link,
    ) {
        Ok(times) => times,
        Err(status) => return status,
    };
    if names.is_empty() {
        return usage(program, "missing file operand", 1);
    }
    let mut status = 0;
    for name in &names {
        if let Err(message) = settings.touch(name) {
            complain(program, message);
            status = 1;
        }
    }
    status
}

/// Works out the times that the options name. The error is the status to end with.
fn times(
    program: &str,
    stamp: Option<Moment>,
    date: Option<&str>,
    reference: Option<&str>,
    is_link: bool,
) -> Result<Option<(Moment, Moment)>, u8> {
    let mut base = None;
    if let Some(name) = reference {
        match system::stat(Path::new(name), !is_link) {
            Ok(stat) => base = Some((stat.accessed, stat.modified)),
            Err(error) => {
                let message = format!(
                    "failed to get attributes of {}: {}",
                    quoted(name),
                    reason(&error)
                );
                complain(program, message);
                return Err(1);
            }
        }
    }
    let Some(text) = date else {
        return Ok(base.or(stamp.map(|stamp| (stamp, stamp))));
    };
    let now = clock::now();
    let (accessed, modified) = base.unwrap_or((now, now));
    match (clock::parse(text, accessed), clock::parse(text, modified)) {
        (Some(accessed), Some(modified)) => Ok(Some((accessed, modified))),
        _ => {
            complain(program, format_args!("invalid date format {}", curly(text)));
            Err(1)
        }
    }
}

impl Settings {
    fn touch(&self, name: &str) -> Result<(), String> {
        let path = Path::new(name);
        let mut opened = Ok(());
        if !self.does_not_create && !self.is_link && name != "-" {
            let how = OpenHow {
                write: true,
                create: true,
                ..OpenHow::default()
            };
            opened = process::open(name, how, 0o666).map(|_| ());
        }
        let set = self.set(if name == "-" {
            Path::new("/dev/stdout")
        } else {
            path
        });
        match (opened, set) {
            (_, Ok(())) => Ok(()),
            (Err(error), Err(_)) if error != process::Errno::IsDirectory => Err(format!(
                "cannot touch {}: {}",
                quoted(name),
                reason(&error.into())
            )),
            (_, Err(error)) if self.does_not_create && error.kind() == io::ErrorKind::NotFound => {
                Ok(())
            }
            (_, Err(error)) => Err(format!(
                "setting times of {}: {}",
                quoted(name),
                reason(&error)
            )),
        }
    }

    fn set(&self, path: &Path) -> io::Result<()> {
        let (accessed, modified) = match self.times {
            Some((accessed, modified)) => (NewTime::At(accessed), NewTime::At(modified)),
            None => (NewTime::Now, NewTime::Now),
        };
        let chosen = |is_chosen, time| if is_chosen { time } else { NewTime::Keep };
        system::set_times(
            path,
            chosen(self.accesses, accessed),
            chosen(self.modifies, modified),
            !self.is_link,
        )
    }
}

/// Reads `[[CC]YY]MMDDhhmm[.ss]`.
fn stamp(text: &str) -> Option<Moment> {
    let (digits, second) = match text.split_once('.') {
        Some((digits, second)) if second.len() == 2 => (digits, pair(second)?),
        Some(_) => return None,
        None => (text, 0),
    };
    let mut pairs = Vec::new();
    let mut rest = digits;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(2)?;
        pairs.push(pair(head)?);
        rest = tail;
    }
    let this_year = clock::local(clock::now()).civil.year;
    let (year, fields) = match pairs.as_slice() {
        [century, year, fields @ ..] if fields.len() == 4 => (century * 100 + year, fields),
        [year @ 0..=68, fields @ ..] if fields.len() == 4 => (2000 + year, fields),
        [year, fields @ ..] if fields.len() == 4 => (1900 + year, fields),
        fields => (this_year, fields),
    };
    let [month, day, hour, minute] = fields else {
        return None;
    };
    clock::moment(&calendar::Civil {
        year,
        month: *month,
        day: *day,
        hour: *hour,
        minute: *minute,
        second,
    })
}

fn pair(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
