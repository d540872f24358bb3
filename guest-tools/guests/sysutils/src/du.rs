//! du: sums up how much files and folders take on the disk.
//!
//! A file with several names counts once. A folder is printed after what it holds.

use std::collections::HashSet;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use crate::clock;
use crate::glob;
use crate::quoting;
use crate::report::{self, complain, reason};
use crate::size::Unit;
use crate::system::{Facts, Moment, Stat, stat};
use gnu_options::named::{self, Item, Order};
use process::{Errno, Folder, Listed};

const SPECIFICATION: &str = "0/null a/all apparent-size B/block-size= b/bytes c/total D/dereference-args H d/max-depth= \
    files0-from= h/human-readable inodes k L/dereference l/count-links m P/no-dereference S/separate-dirs si \
    s/summarize t/threshold= time=? time-style= X/exclude-from= exclude= x/one-file-system";

struct Settings {
    all: bool,
    is_apparent: bool,
    counts_inodes: bool,
    counts_links: bool,
    is_separate: bool,
    has_total: bool,
    depth_max: usize,
    unit: Unit,
    end: u8,
    follows_operands: bool,
    follows: bool,
    stays_on_device: bool,
    threshold: i64,
    time: Option<String>,
    excluded: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (settings, operands) = match read(program, arguments) {
        Ok(read) => read,
        Err(status) => return status,
    };
    let out = BufWriter::new(io::stdout().lock());
    let mut walk = Walk {
        program,
        settings,
        out,
        seen: HashSet::new(),
        remembers_all: operands.len() > 1,
        device: 0,
        status: 0,
    };
    let mut total = Sum::default();
    let written = operands.iter().try_for_each(|operand| {
        if let Some(sum) = walk.visit(Path::new(operand), 0, None)? {
            total.add(&sum);
        }
        Ok(())
    });
    let written = written.and_then(|()| {
        if walk.settings.has_total {
            walk.print(&total, Path::new("total"), 0)?;
        }
        walk.out.flush()
    });
    report::finish(program, written).max(walk.status)
}

fn read(program: &str, arguments: &[String]) -> Result<(Settings, Vec<String>), u8> {
    let usage = |message: String| report::usage(program, message, 1);
    let items = named::parse(arguments, SPECIFICATION, Order::Any).map_err(usage)?;
    let unit = ["DU_BLOCK_SIZE", "BLOCK_SIZE"]
        .iter()
        .find_map(|name| Unit::parse(&std::env::var(name).ok()?));
    let mut settings = Settings {
        all: false,
        is_apparent: false,
        counts_inodes: false,
        counts_links: false,
        is_separate: false,
        has_total: false,
        depth_max: usize::MAX,
        unit: unit.unwrap_or(Unit::KIBIBYTES),
        end: b'\n',
        follows_operands: false,
        follows: false,
        stays_on_device: false,
        threshold: 0,
        time: None,
        excluded: Vec::new(),
    };
    let (mut summarizes, mut time_style, mut depth) = (false, None, None);
    let mut operands = Vec::new();
    let mut list = None;
    for item in items {
        let (name, value) = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option(name, value) => (name, value),
        };
        let text = value.as_deref().unwrap_or("");
        match name {
            "help" => return Err(report::help(HELP)),
            "version" => return Err(report::version(program)),
            "null" => settings.end = 0,
            "all" => settings.all = true,
            "apparent-size" => settings.is_apparent = true,
            "bytes" => (settings.is_apparent, settings.unit) = (true, Unit::BYTES),
            "block-size" => {
                let invalid = || usage(format!("invalid -B argument {}", quoting::curly(text)));
                settings.unit = Unit::parse(text).ok_or_else(invalid)?;
            }
            "total" => settings.has_total = true,
            "dereference-args" | "H" => settings.follows_operands = true,
            "dereference" => (settings.follows, settings.follows_operands) = (true, true),
            "no-dereference" => (settings.follows, settings.follows_operands) = (false, false),
            "max-depth" => {
                let invalid = |_| usage(format!("invalid maximum depth {}", quoting::curly(text)));
                depth = Some(text.parse().map_err(invalid)?);
            }
            "files0-from" => list = Some(text.to_owned()),
            "human-readable" => settings.unit = Unit::Human { base: 1024 },
            "si" => settings.unit = Unit::Human { base: 1000 },
            "inodes" => settings.counts_inodes = true,
            "k" => settings.unit = Unit::KIBIBYTES,
            "m" => {
                settings.unit = Unit::Blocks {
                    bytes: 1 << 20,
                    suffix: "",
                }
            }
            "count-links" => settings.counts_links = true,
            "separate-dirs" => settings.is_separate = true,
            "summarize" => summarizes = true,
            "threshold" => {
                let (sign, number) = text
                    .strip_prefix('-')
                    .map_or((1, text), |number| (-1, number));
                let bytes = bytes(number).and_then(|bytes| i64::try_from(bytes).ok());
                let invalid = || {
                    usage(format!(
                        "invalid --threshold argument {}",
                        quoting::curly(text)
                    ))
                };
                settings.threshold = sign * bytes.ok_or_else(invalid)?;
            }
            "time" => settings.time = Some("%Y-%m-%d %H:%M".to_owned()),
            "time-style" => time_style = Some(text.to_owned()),
            "exclude" => settings.excluded.push(text.to_owned()),
            "exclude-from" => match std::fs::read_to_string(text) {
                Ok(patterns) => settings
                    .excluded
                    .extend(patterns.lines().map(str::to_owned)),
                Err(error) => {
                    complain(
                        program,
                        format_args!("{}: {}", quoting::shell(text), reason(&error)),
                    );
                    return Err(1);
                }
            },
            "one-file-system" => settings.stays_on_device = true,
            _ => {}
        }
    }
    if let (Some(time), Some(style)) = (&mut settings.time, time_style) {
        *time = match style.as_str() {
            "full-iso" => "%Y-%m-%d %H:%M:%S.%N %z".to_owned(),
            "long-iso" => "%Y-%m-%d %H:%M".to_owned(),
            "iso" => "%Y-%m-%d".to_owned(),
            _ => style
                .strip_prefix('+')
                .unwrap_or("%Y-%m-%d %H:%M")
                .to_owned(),
        };
    }
    if summarizes && settings.all {
        return Err(usage(
            "cannot both summarize and show all entries".to_owned(),
        ));
    }
    match (summarizes, depth) {
        (true, Some(0)) => complain(
            program,
            "warning: summarizing is the same as using --max-depth=0",
        ),
        (true, Some(depth)) => {
            let conflict: usize = depth;
            return Err(usage(format!(
                "warning: summarizing conflicts with --max-depth={conflict}"
            )));
        }
        _ => {}
    }
    settings.depth_max = if summarizes {
        0
    } else {
        depth.unwrap_or(usize::MAX)
    };
    if settings.counts_inodes {
        // A count has no unit but the letters of -h.
        settings.unit = if let Unit::Human { .. } = settings.unit {
            settings.unit
        } else {
            Unit::BYTES
        };
    }
    if let Some(list) = list {
        operands.extend(listed(program, &list)?);
    } else if operands.is_empty() {
        operands.push(".".to_owned());
    }
    Ok((settings, operands))
}

/// Reads the names that `--files0-from` points to.
fn listed(program: &str, list: &str) -> Result<Vec<String>, u8> {
    let mut text = Vec::new();
    let read = if list == "-" {
        io::stdin().lock().read_to_end(&mut text)
    } else {
        std::fs::File::open(list).and_then(|mut file| file.read_to_end(&mut text))
    };
    if let Err(error) = read {
        complain(
            program,
            format_args!(
                "cannot open {} for reading: {}",
                quoting::quoted(list),
                reason(&error)
            ),
        );
        return Err(1);
    }
    let names = text
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect())
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, letters) = text.split_at_checked(digits)?;
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(crate::size::factor(letters)?.0)
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    bytes: u64,
    files: u64,
    latest: Option<Moment>,
}

impl Sum {
    fn add(&mut self, other: &Sum) {
        self.bytes += other.bytes;
        self.files += other.files;
        self.latest = self.latest.max(other.latest);
    }
}

struct Walk<'a, W> {
    program: &'a str,
    settings: Settings,
    out: W,
    /// Files that were counted: by device and inode.
    seen: HashSet<(u64, u64)>,
    /// Whether every file is remembered: operands may overlap.
    remembers_all: bool,
    /// The device of the operand, for `-x`.
    device: u64,
    status: u8,
}

impl<W: Write> Walk<'_, W> {
    /// Visits a file, whose status its folder may have told, and what is beneath it; none if it does not count.
    fn visit(
        &mut self,
        path: &Path,
        depth: usize,
        told: Option<Result<Stat, Errno>>,
    ) -> io::Result<Option<Sum>> {
        if self.is_excluded(path) {
            return Ok(None);
        }
        let follow = if depth == 0 {
            self.settings.follows_operands
        } else {
            self.settings.follows
        };
        let status = match told {
            Some(told) => told.map_err(io::Error::from),
            None => stat(path, follow),
        };
        let status = match status {
            Ok(status) => status,
            Err(error) => {
                self.fail(path, "cannot access", &error);
                return Ok(None);
            }
        };
        if depth == 0 {
            self.device = status.device;
        } else if self.settings.stays_on_device && status.device != self.device {
            return Ok(None);
        }
        let counts_once = !self.settings.counts_links || status.is_directory();
        if counts_once
            && (status.links > 1 || status.is_directory() || self.remembers_all)
            && !self.seen.insert((status.device, status.inode))
        {
            return Ok(None);
        }
        let own = self.own(&status);
        if !status.is_directory() {
            if depth == 0 || (self.settings.all && depth <= self.settings.depth_max) {
                self.print(&own, path, depth)?;
            }
            return Ok(Some(own));
        }
        let (mut total, mut shown) = (own, own);
        // A link's own status is not what counts where links are followed.
        let with_stats = !self.settings.follows;
        let children = Folder::open(process::name_bytes(path.as_os_str()), with_stats)
            .and_then(Iterator::collect::<Result<Vec<Listed>, Errno>>);
        match children {
            Ok(children) => {
                for Listed {
                    name, stat: told, ..
                } in children
                {
                    let child = path.join(name);
                    if let Some(sum) = self.visit(&child, depth + 1, told)? {
                        total.add(&sum);
                        if !self.settings.is_separate
                            || !stat(&child, false).is_ok_and(|status| status.is_directory())
                        {
                            shown.add(&sum);
                        }
                    }
                }
            }
            Err(error) => self.fail(path, "cannot read directory", &error.into()),
        }
        if depth <= self.settings.depth_max {
            self.print(
                if self.settings.is_separate {
                    &shown
                } else {
                    &total
                },
                path,
                depth,
            )?;
        }
        Ok(Some(total))
    }

    fn own(&self, status: &Stat) -> Sum {
        // The size of a folder is no amount of data.
        let bytes = match (self.settings.is_apparent, status.is_directory()) {
            (true, _) => status.size,
            (false, _) => status.blocks * 512,
        };
        Sum {
            bytes,
            files: 1,
            latest: Some(status.modified),
        }
    }

    fn print(&mut self, sum: &Sum, path: &Path, _depth: usize) -> io::Result<()> {
        let value = if self.settings.counts_inodes {
            sum.files
        } else {
            sum.bytes
        };
        let signed = i64::try_from(value).unwrap_or(i64::MAX);
        let threshold = self.settings.threshold;
        if (threshold < 0 && signed > -threshold) || (threshold > 0 && signed < threshold) {
            return Ok(());
        }
        write!(self.out, "{}\t", self.settings.unit.show(value))?;
        if let Some(format) = &self.settings.time {
            let latest = sum.latest.unwrap_or(Moment {
                seconds: 0,
                nanoseconds: 0,
            });
            write!(self.out, "{}\t", clock::show(latest, format))?;
        }
        self.out.write_all(path.as_os_str().as_encoded_bytes())?;
        self.out.write_all(&[self.settings.end])
    }

    /// Returns whether a pattern matches the path from any of its parts on.
    fn is_excluded(&self, path: &Path) -> bool {
        let text = path.as_os_str().as_encoded_bytes();
        let starts = text
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .map(|(at, _)| at + 1);
        let tails: Vec<&[u8]> = std::iter::once(0)
            .chain(starts)
            .filter_map(|start| text.get(start..))
            .collect();
        let matches = |pattern: &String| {
            tails
                .iter()
                .any(|tail| glob::matches(pattern.as_bytes(), tail, false))
        };
        self.settings.excluded.iter().any(matches)
    }

    fn fail(&mut self, path: &Path, what: &str, error: &io::Error) {
        let _ = self.out.flush();
        complain(
            self.program,
            format_args!(
                "{what} {}: {}",
                quoting::quoted(&path.to_string_lossy()),
                reason(error)
            ),
        );
        self.status = 1;
    }
}

const HELP: &str = "\
Usage: du [OPTION]... [FILE]...
  or:  du [OPTION]... --files0-from=F
Summarize device usage of the set of FILEs, recursively for directories.

  -0, --null            end each output line with NUL, not newline
  -a, --all             write counts for all files, not just directories
      --apparent-size   print apparent sizes rather than device usage
  -B, --block-size=SIZE, -k, -m, -b, -h, --si
  -c, --total           produce a grand total
  -D, -H, -L, -P        follow links on the command line, all, none
  -d, --max-depth=N     print the total for a directory only N or fewer levels deep
      --exclude=PATTERN, -X, --exclude-from=FILE
      --inodes          list inode usage information instead of block usage
  -l, --count-links     count sizes many times if hard linked
  -S, --separate-dirs   do not include size of subdirectories
  -s, --summarize       display only a total for each argument
  -t, --threshold=SIZE  exclude entries smaller than SIZE, or greater if negative
      --time[=WORD], --time-style=STYLE
  -x, --one-file-system
";
