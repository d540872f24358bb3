//! mktemp: makes files and folders with names that no other has, as GNU's.

use std::hash::{BuildHasher, Hasher, RandomState};

use gnu_options::{Item, Takes};
use process::{Errno, OpenHow};

use crate::report;

const OPTIONS: gnu_options::Options = gnu_options::Options {
    short: "dp:qtuV",
    long: &[
        ("directory", Takes::Nothing, 'd'),
        ("dry-run", Takes::Nothing, 'u'),
        ("help", Takes::Nothing, 'h'),
        ("quiet", Takes::Nothing, 'q'),
        ("suffix", Takes::Argument, 's'),
        ("tmpdir", Takes::Optional, 'P'),
        ("version", Takes::Nothing, 'V'),
    ],
};

const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const TRIES_MAX: usize = 1000;

#[derive(Default)]
struct Wish {
    is_folder: bool,
    is_dry: bool,
    is_quiet: bool,
    /// `-t`: the folder of the user's wish is before that of `-p`.
    is_old: bool,
    /// Whether the name is to be in a folder for temporary files, and in which if it was said.
    folder: Option<Option<String>>,
    suffix: Option<String>,
}

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let (items, error) = gnu_options::parse(&OPTIONS, arguments);
    if let Some(error) = error {
        return report::usage(program, error, 1);
    }
    let mut wish = Wish::default();
    let mut templates = Vec::new();
    for item in items {
        match item {
            Item::Operand(word) => templates.push(word),
            Item::Option(letter, value, _) => match letter {
                'd' => wish.is_folder = true,
                'u' => wish.is_dry = true,
                'q' => wish.is_quiet = true,
                't' => wish.is_old = true,
                'p' | 'P' => wish.folder = Some(value),
                's' => wish.suffix = value,
                'h' => return report::print(program, USAGE),
                _ => {
                    return report::print(program, "mktemp (Sinew, as GNU coreutils) 9.1\n");
                }
            },
        }
    }
    if templates.len() > 1 {
        return report::usage(program, "too many templates", 1);
    }
    let template = templates.pop();
    match make(&wish, template) {
        Ok(name) => report::print(program, name + "\n"),
        Err(Problem::Usage(message)) => {
            report::complain(program, message);
            1
        }
        Err(Problem::Failure(message)) => {
            if !wish.is_quiet {
                report::complain(program, message);
            }
            1
        }
    }
}

enum Problem {
    Usage(String),
    Failure(String),
}

fn make(wish: &Wish, template: Option<String>) -> Result<String, Problem> {
    let usage = |message: String| Err(Problem::Usage(message));
    let is_default = template.is_none();
    let template = template.unwrap_or_else(|| "tmp.XXXXXXXXXX".to_owned());
    let (stem, suffix) = match &wish.suffix {
        Some(suffix) => {
            if !template.ends_with('X') {
                return usage(format!(
                    "with --suffix, template ‘{template}’ must end in X"
                ));
            }
            (template.as_str(), suffix.as_str())
        }
        None => {
            let end = template.rfind('X').map_or(0, |at| at + 1);
            template.split_at_checked(end).unwrap_or((&template, ""))
        }
    };
    if suffix.contains('/') {
        return usage(format!(
            "invalid suffix ‘{suffix}’, contains directory separator"
        ));
    }
    let count = stem.bytes().rev().take_while(|byte| *byte == b'X').count();
    if count < 3 {
        return usage(format!("too few X's in template ‘{template}’"));
    }
    let folder = if is_default || wish.is_old || wish.folder.is_some() {
        if wish.is_old && stem.contains('/') {
            return usage(format!(
                "invalid template, ‘{template}’, contains directory separator"
            ));
        }
        if !wish.is_old && stem.starts_with('/') {
            return usage(format!(
                "invalid template, ‘{template}’; with --tmpdir, it may not be absolute"
            ));
        }
        let said = wish
            .folder
            .clone()
            .flatten()
            .filter(|folder| !folder.is_empty());
        let users = std::env::var("TMPDIR")
            .ok()
            .filter(|folder| !folder.is_empty());
        let folder = if wish.is_old {
            users.or(said)
        } else {
            said.or(users)
        };
        Some(folder.unwrap_or_else(|| "/tmp".to_owned()))
    } else {
        None
    };
    let before = stem.get(..stem.len() - count).unwrap_or("");
    let place = |middle: &str| {
        let name = format!("{before}{middle}{suffix}");
        match &folder {
            Some(folder) if folder.ends_with('/') => format!("{folder}{name}"),
            Some(folder) => format!("{folder}/{name}"),
            None => name,
        }
    };
    let mut random = Random::new();
    let mut last = Errno::Exists;
    for _ in 0..TRIES_MAX {
        let name = place(&random.letters(count));
        match create(wish, &name) {
            Ok(()) => return Ok(name),
            Err(Errno::Exists) => {}
            Err(error) => {
                last = error;
                break;
            }
        }
    }
    let what = if wish.is_folder { "directory" } else { "file" };
    let shown = place(&"X".repeat(count));
    Err(Problem::Failure(format!(
        "failed to create {what} via template ‘{shown}’: {last}"
    )))
}

fn create(wish: &Wish, name: &str) -> Result<(), Errno> {
    if wish.is_dry {
        return match process::stat(name, false) {
            Ok(_) => Err(Errno::Exists),
            Err(_) => Ok(()),
        };
    }
    if wish.is_folder {
        std::fs::create_dir(name)?;
        return process::chmod(name, 0o700);
    }
    let how = OpenHow {
        exclusive: true,
        ..OpenHow::READ_WRITE
    };
    process::open(name, how, 0o600).map(drop)
}

/// Letters that nobody guesses; std seeds every map with such numbers.
struct Random {
    state: RandomState,
    count: u64,
}

impl Random {
    fn new() -> Self {
        Self {
            state: RandomState::new(),
            count: 0,
        }
    }

    fn letters(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| {
                self.count += 1;
                let mut hasher = self.state.build_hasher();
                hasher.write_u64(self.count);
                let place = hasher.finish() % LETTERS.len() as u64;
                let letter = usize::try_from(place).ok().and_then(|at| LETTERS.get(at));
                char::from(letter.copied().unwrap_or(b'x'))
            })
            .collect()
    }
}

const USAGE: &str = "\
Usage: mktemp [OPTION]... [TEMPLATE]
Makes a temporary file or folder and prints its name. TEMPLATE ends in at least three X.
  -d, --directory        make a folder
  -u, --dry-run          make nothing
  -q, --quiet            no message if nothing could be made
      --suffix=SUFFIX    behind the X
  -p DIR, --tmpdir[=DIR] in DIR, else $TMPDIR, else /tmp
  -t                     TEMPLATE is a name in $TMPDIR, else -p's folder, else /tmp
";
