//! The predicates: options, tests and actions by their names.

use bash_text::pattern::{Options as PatternOptions, Pattern};
use posix_regex::{Options, Regex, Syntax};
use process::Kind;

use crate::date;
use crate::evaluate::{nanoseconds, time_of};
use crate::expression::{
    Access, Count, Execution, Expression, Follow, Nanoseconds, Permission, Time,
};
use crate::messages::{quoted, reason, words};
use crate::printf::Format;

use super::Parser;

const SECOND: Nanoseconds = 1_000_000_000;
const DAY: Nanoseconds = 86_400 * SECOND;

/// Types of regular expressions and the syntax that stands for each.
const REGEX_TYPES: &[(&str, &str)] = &[
    ("findutils-default", "emacs"),
    ("ed", "basic"),
    ("emacs", "emacs"),
    ("gnu-awk", "extended"),
    ("grep", "basic"),
    ("posix-awk", "extended"),
    ("awk", "extended"),
    ("posix-basic", "basic"),
    ("posix-egrep", "extended"),
    ("egrep", "extended"),
    ("posix-extended", "extended"),
    ("posix-minimal-basic", "basic"),
    ("sed", "basic"),
];

impl<'a> Parser<'a> {
    /// Parses the rest of a predicate.
    pub(super) fn predicate(&mut self, name: &'a str) -> Result<Expression, String> {
        let expression = match name {
            "-maxdepth" => {
                self.search.depth_max = self.depth(name)?;
                return Ok(Expression::True);
            }
            "-mindepth" => {
                self.search.depth_min = self.depth(name)?;
                return Ok(Expression::True);
            }
            "-depth" | "-d" => {
                self.search.is_contents_first = true;
                return Ok(Expression::True);
            }
            "-xdev" | "-mount" => {
                self.search.is_one_device = true;
                return Ok(Expression::True);
            }
            "-ignore_readdir_race" | "-noignore_readdir_race" => {
                self.search.ignores_races = name == "-ignore_readdir_race";
                return Ok(Expression::True);
            }
            "-noleaf" | "-warn" | "-nowarn" => return Ok(Expression::True),
            "-follow" => {
                self.search.follow = Follow::Always;
                return Ok(Expression::True);
            }
            "-daystart" => {
                if !self.is_day_start {
                    self.is_day_start = true;
                    self.now = self.now.div_euclid(DAY) * DAY + DAY;
                }
                return Ok(Expression::True);
            }
            "-regextype" => {
                let text = self.argument(name)?;
                match REGEX_TYPES.iter().find(|known| known.0 == text) {
                    Some((_, syntax)) => self.regex_type = syntax,
                    None => {
                        let names: Vec<String> =
                            REGEX_TYPES.iter().map(|known| quoted(known.0)).collect();
                        return Err(format!(
                            "Unknown regular expression type {}; valid types are {}.",
                            quoted(text),
                            names.join(", ")
                        ));
                    }
                }
                return Ok(Expression::True);
            }
            "-version" | "--version" => {
                self.shown = Some("find (GNU findutils) 4.9.0 (compatible; Sinew)\n".to_owned());
                return Ok(Expression::True);
            }
            "-help" | "--help" => {
                self.shown = Some(
                    "Usage: find [-H] [-L] [-P] [-Olevel] [-D debugopts] [path...] [expression]\n"
                        .to_owned(),
                );
                return Ok(Expression::True);
            }
            "-true" => Expression::True,
            "-false" => Expression::False,
            "-empty" => Expression::Empty,
            "-nouser" => Expression::NoUser,
            "-nogroup" => Expression::NoGroup,
            "-readable" => Expression::Access(Access::Read),
            "-writable" => Expression::Access(Access::Write),
            "-executable" => Expression::Access(Access::Execute),
            "-prune" => Expression::Prune,
            "-quit" => Expression::Quit,
            "-name" | "-iname" | "-path" | "-ipath" | "-wholename" | "-iwholename" | "-lname"
            | "-ilname" => self.pattern(name)?,
            "-regex" | "-iregex" => self.regex(name)?,
            "-type" | "-xtype" => {
                let kinds = kinds(name, self.argument(name)?)?;
                if name == "-type" {
                    Expression::Kind(kinds)
                } else {
                    Expression::OtherKind(kinds)
                }
            }
            "-size" => size(self.argument(name)?)?,
            "-perm" => permission(self.argument(name)?)?,
            "-links" => Expression::Links(self.count(name)?),
            "-inum" => Expression::Inode(self.count(name)?),
            "-uid" => Expression::User(self.count(name)?),
            "-gid" => Expression::Group(self.count(name)?),
            "-user" | "-group" => self.owner(name)?,
            "-used" => match self.count(name)? {
                Count::More(days) => Expression::Used(Count::More(days.into())),
                Count::Less(days) => Expression::Used(Count::Less(days.into())),
                Count::Exactly(days) => Expression::Used(Count::Exactly(days.into())),
            },
            "-fstype" => Expression::FileSystem(self.argument(name)?.to_owned()),
            "-samefile" => {
                let stat = self.reference(name)?;
                Expression::SameFile(stat.device, stat.inode)
            }
            "-mtime" | "-atime" | "-ctime" | "-mmin" | "-amin" | "-cmin" => self.age(name)?,
            "-newer" | "-anewer" | "-cnewer" => {
                let time = match name {
                    "-anewer" => Time::Accessed,
                    "-cnewer" => Time::Changed,
                    _ => Time::Modified,
                };
                let stat = self.reference(name)?;
                Expression::Newer(time, nanoseconds(stat.modified))
            }
            newer if newer.starts_with("-newer") => self.newer(newer)?,
            _ => return self.action(name),
        };
        Ok(expression)
    }

    fn action(&mut self, name: &'a str) -> Result<Expression, String> {
        let expression = match name {
            "-print" => Expression::Print(0, b'\n'),
            "-print0" => Expression::Print(0, 0),
            "-fprint" | "-fprint0" => {
                let place = self.output(name)?;
                Expression::Print(place, if name == "-fprint" { b'\n' } else { 0 })
            }
            "-ls" => Expression::Details(0),
            "-fls" => Expression::Details(self.output(name)?),
            "-printf" => Expression::Printf(0, Format::parse(self.argument(name)?)?),
            "-fprintf" => {
                let place = self.output(name)?;
                Expression::Printf(place, Format::parse(self.argument(name)?)?)
            }
            "-delete" => {
                self.search.is_contents_first = true;
                Expression::Delete
            }
            "-exec" | "-execdir" | "-ok" | "-okdir" => self.execution(name)?,
            newer if newer.starts_with("-newer") => {
                return Err(format!("invalid predicate `{newer}'"));
            }
            unknown => return Err(format!("unknown predicate `{unknown}'")),
        };
        self.has_action = true;
        Ok(expression)
    }

    fn output(&mut self, name: &str) -> Result<usize, String> {
        let file = self.argument(name)?;
        self.search
            .output
            .open(file)
            .map_err(|error| format!("{}: {}", quoted(file), reason(&error)))
    }

    fn pattern(&mut self, name: &'a str) -> Result<Expression, String> {
        let text = self.argument(name)?;
        self.last_pattern = Some(name);
        let (kind, ignore_case) = match name.strip_prefix("-i") {
            Some(kind) => (kind, true),
            None => (name.strip_prefix('-').unwrap_or(name), false),
        };
        let pattern = Pattern::from_text(
            text.as_bytes(),
            PatternOptions {
                extglob: false,
                ignore_case,
            },
        );
        Ok(match kind {
            "name" => Expression::Name(pattern),
            "lname" => Expression::LinkName(pattern),
            _ => Expression::Path(pattern),
        })
    }

    fn regex(&mut self, name: &str) -> Result<Expression, String> {
        let text = self.argument(name)?;
        let (pattern, syntax) = match self.regex_type {
            "basic" => (text.to_owned(), Syntax::Basic),
            "extended" => (text.to_owned(), Syntax::Extended),
            _ => (from_emacs(text), Syntax::Extended),
        };
        let options = Options {
            ignore_case: name == "-iregex",
            dot_newline: true,
            utf8: true,
            ..Options::default()
        };
        Regex::new(pattern.as_bytes(), syntax, &options)
            .map(Expression::Regex)
            .map_err(|error| format!("failed to compile regular expression '{text}': {error}"))
    }

    fn count(&mut self, name: &str) -> Result<Count<u64>, String> {
        let text = self.argument(name)?;
        let (sign, digits) = signed(text);
        match digits.parse() {
            Ok(number) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(counted(sign, number))
            }
            _ => Err(format!("invalid argument `{text}' to `{name}'")),
        }
    }

    fn owner(&mut self, name: &str) -> Result<Expression, String> {
        let text = self.argument(name)?;
        let known = |of: fn(u32) -> Option<&'static str>| {
            [0, process::USER, 65_534]
                .into_iter()
                .find(|number| of(*number) == Some(text))
        };
        let is_user = name == "-user";
        let number = if is_user {
            known(process::user_name)
        } else {
            known(process::group_name)
        };
        let number = match number {
            Some(number) => u64::from(number),
            None => match text.parse() {
                Ok(number) => number,
                Err(_) if is_user => {
                    return Err(format!("{} is not the name of a known user", quoted(text)));
                }
                Err(_) => {
                    return Err(format!(
                        "{} is not the name of an existing group",
                        quoted(text)
                    ));
                }
            },
        };
        let count = Count::Exactly(number);
        Ok(if is_user {
            Expression::User(count)
        } else {
            Expression::Group(count)
        })
    }

    fn reference(&mut self, name: &str) -> Result<process::Stat, String> {
        let file = self.argument(name)?;
        let follow = self.search.follow != Follow::Never;
        process::stat(file, follow).map_err(|errno| format!("{}: {}", quoted(file), words(errno)))
    }

    fn age(&mut self, name: &str) -> Result<Expression, String> {
        let text = self.argument(name)?;
        let (sign, digits) = signed(text);
        let is_days = name.ends_with("time");
        let unit = if is_days { DAY } else { 60 * SECOND };
        let number = match date::decimal(digits) {
            Some(number) if !digits.starts_with('-') => number,
            _ => return Err(format!("invalid argument `{text}' to `{name}'")),
        };
        let time = match name.as_bytes().get(1) {
            Some(b'a') => Time::Accessed,
            Some(b'c') => Time::Changed,
            _ => Time::Modified,
        };
        // A day that has only begun does not count: the boundary of all but "less than" is one day further back.
        let begin = if is_days && sign != Some('-') {
            self.now - DAY
        } else {
            self.now
        };
        let boundary = begin - number * unit / SECOND;
        Ok(Expression::Within(time, counted(sign, boundary), unit))
    }

    fn newer(&mut self, name: &str) -> Result<Expression, String> {
        let mut letters = name.chars().skip("-newer".len());
        let time = |letter: Option<char>| match letter {
            Some('a') => Some(Time::Accessed),
            Some('c') => Some(Time::Changed),
            Some('m') => Some(Time::Modified),
            _ => None,
        };
        let invalid = || format!("invalid predicate `{name}'");
        let ours = time(letters.next()).ok_or_else(invalid)?;
        let theirs = letters.next();
        if letters.next().is_some() {
            return Err(invalid());
        }
        if theirs == Some('t') {
            let text = self.argument(name)?;
            let than = date::read(text, self.now).ok_or_else(|| {
                format!(
                    "I cannot figure out how to interpret {} as a date or time",
                    quoted(text)
                )
            })?;
            return Ok(Expression::Newer(ours, than));
        }
        let theirs = time(theirs).ok_or_else(invalid)?;
        let stat = self.reference(name)?;
        Ok(Expression::Newer(ours, nanoseconds(time_of(&stat, theirs))))
    }

    fn execution(&mut self, name: &str) -> Result<Expression, String> {
        let mut command: Vec<String> = Vec::new();
        let is_asking = name.starts_with("-ok");
        let is_batch = loop {
            let word = self.argument(name)?;
            if word == ";" {
                break false;
            }
            if word == "+" && !is_asking && command.last().is_some_and(|last| last == "{}") {
                break true;
            }
            command.push(word.to_owned());
        };
        if command.is_empty() || (is_batch && command.len() < 2) {
            return Err(format!("missing argument to `{name}'"));
        }
        if is_batch && command.iter().filter(|word| word.contains("{}")).count() > 1 {
            return Err(format!(
                "Only one instance of {{}} is supported with {name} ... +"
            ));
        }
        let batch = self.search.batches;
        self.search.batches += usize::from(is_batch);
        let is_in_folder = name.ends_with("dir");
        Ok(Expression::Execute(Execution {
            command,
            is_batch,
            is_in_folder,
            is_asking,
            batch,
        }))
    }
}

fn signed(text: &str) -> (Option<char>, &str) {
    match text.strip_prefix('+') {
        Some(digits) => (Some('+'), digits),
        None => match text.strip_prefix('-') {
            Some(digits) => (Some('-'), digits),
            None => (None, text),
        },
    }
}

fn counted<N>(sign: Option<char>, number: N) -> Count<N> {
    match sign {
        Some('+') => Count::More(number),
        Some(_) => Count::Less(number),
        None => Count::Exactly(number),
    }
}

fn kinds(name: &str, text: &str) -> Result<Vec<Kind>, String> {
    let mut kinds = Vec::new();
    if text.is_empty() {
        return Err(format!(
            "Arguments to {name} should contain at least one letter"
        ));
    }
    for part in text.split(',') {
        let mut letters = part.chars();
        kinds.push(match letters.next() {
            Some('b') => Kind::BlockDevice,
            Some('c') => Kind::CharacterDevice,
            Some('d') => Kind::Directory,
            Some('f') => Kind::Regular,
            Some('l') => Kind::Symlink,
            Some('p') => Kind::Fifo,
            Some('s') => Kind::Socket,
            Some(letter) => return Err(format!("Unknown argument to {name}: {letter}")),
            None => {
                return Err(format!(
                    "Last file type in list argument to {name} is missing, i.e., list is ending on: ','"
                ));
            }
        });
        if letters.next().is_some() {
            return Err(format!(
                "Must separate multiple arguments to {name} using: ','"
            ));
        }
    }
    Ok(kinds)
}

fn size(text: &str) -> Result<Expression, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, letter)) if !letter.is_ascii_digit() => {
            let unit = match letter {
                'b' => 512,
                'c' => 1,
                'w' => 2,
                'k' => 1024,
                'M' => 1024 * 1024,
                'G' => 1024 * 1024 * 1024,
                _ => return Err(format!("invalid -size type `{letter}'")),
            };
            (text.get(..at).unwrap_or_default(), unit)
        }
        _ => (text, 512),
    };
    let (sign, digits) = signed(digits);
    match digits.parse() {
        Ok(number) => Ok(Expression::Size(counted(sign, number), unit)),
        Err(_) => Err(format!("Invalid argument `{text}' to -size")),
    }
}

fn permission(text: &str) -> Result<Expression, String> {
    let invalid = || format!("invalid mode {}", quoted(text));
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("-", rest)) => (Some('-'), rest),
        Some(("/", rest)) => (Some('/'), rest),
        _ => (None, text),
    };
    let mode = match u32::from_str_radix(rest, 8) {
        Ok(mode) if rest.bytes().all(|byte| byte.is_ascii_digit()) => mode,
        _ => symbolic(rest).ok_or_else(invalid)?,
    };
    if mode > 0o7777 {
        return Err(invalid());
    }
    Ok(Expression::Permission(match sign {
        None => Permission::Exactly(mode),
        Some('-') => Permission::All(mode),
        Some(_) => Permission::Any(mode),
    }))
}

/// Applies `u=rwx,g+x` to no permissions.
fn symbolic(text: &str) -> Option<u32> {
    let mut mode: u32 = 0;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, mut rest) = clause.split_at_checked(at)?;
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o7777;
        }
        while !rest.is_empty() {
            let operator = rest.chars().next()?;
            let behind = rest.get(1..)?;
            let end = behind.find(['+', '-', '=']).unwrap_or(behind.len());
            let mut bits = 0;
            for letter in behind.get(..end)?.chars() {
                bits |= match letter {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' => mode & 0o111,
                    's' => 0o6000,
                    't' => 0o1000,
                    'u' => (mode >> 6 & 7) * 0o111,
                    'g' => (mode >> 3 & 7) * 0o111,
                    'o' => (mode & 7) * 0o111,
                    _ => return None,
                };
            }
            bits &= mask;
            match operator {
                '+' => mode |= bits,
                '-' => mode &= !bits,
                _ => mode = mode & !(mask & 0o777) | bits,
            }
            rest = behind.get(end..)?;
        }
    }
    Some(mode)
}

/// Rewrites Emacs's syntax, where groups and alternatives have a backslash and intervals do not exist.
fn from_emacs(text: &str) -> String {
    let mut into = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(group @ ('(' | ')' | '|')) => into.push(group),
                Some(other) => {
                    into.push('\\');
                    into.push(other);
                }
                None => into.push('\\'),
            },
            '(' | ')' | '|' | '{' | '}' => {
                into.push('\\');
                into.push(character);
            }
            '[' => {
                into.push('[');
                // The set as it is: its brackets are no groups.
                if let Some(caret) = characters.next_if_eq(&'^') {
                    into.push(caret);
                }
                if let Some(close) = characters.next_if_eq(&']') {
                    into.push(close);
                }
                while let Some(inner) = characters.next() {
                    into.push(inner);
                    if inner == ']' {
                        break;
                    }
                    if inner == '[' && characters.peek() == Some(&':') {
                        for class in characters.by_ref() {
                            into.push(class);
                            if class == ']' {
                                break;
                            }
                        }
                    }
                }
            }
            other => into.push(other),
        }
    }
    into
}
