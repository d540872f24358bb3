//! The command line of ps: options of Unix behind one dash, those of BSD without one, and GNU's long ones.

use std::collections::VecDeque;

use process::Entry;

use crate::table;

use super::columns::{self, Column};

/// What is to be shown, of which processes.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) columns: Vec<Column>,
    pub(super) has_header: bool,
    pub(super) sort: Option<String>,
    pub(super) is_forest: bool,
    /// The tree has lines.
    pub(super) draws_lines: bool,
    /// Options of BSD were used.
    is_bsd: bool,
    pub(super) width: Option<usize>,
    pub(super) shows_version: bool,
    selection: Selection,
}

#[derive(Debug, Default)]
struct Selection {
    pids: Vec<u32>,
    parents: Vec<u32>,
    groups: Vec<u32>,
    names: Vec<String>,
    /// Users were named, and whether one of them is the hand's.
    user: Option<bool>,
    /// Terminals were named; nothing runs on one.
    names_terminal: bool,
    takes_all: bool,
    only_running: bool,
    is_negated: bool,
}

impl Wish {
    /// Returns whether a process is to be shown.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        let selection = &self.selection;
        let has_list = !selection.pids.is_empty()
            || !selection.parents.is_empty()
            || !selection.groups.is_empty()
            || !selection.names.is_empty()
            || selection.user.is_some()
            || selection.names_terminal;
        let is_listed = selection.pids.contains(&entry.pid)
            || selection.parents.contains(&entry.parent)
            || selection.groups.contains(&entry.group)
            || selection.names.contains(&table::short_name(entry))
            || selection.names.contains(&table::name(entry))
            || selection.user == Some(true);
        // Without a list all processes of the user are shown, which have all the same terminal: none.
        let is_chosen = selection.takes_all || is_listed || !has_list;
        is_chosen != selection.is_negated && (!selection.only_running || entry.state == 'R')
    }
}

/// Formats by name.
const DEFAULT: &str = "pid,tname,time,ucmd";
const BSD: &str = "pid,tname,stat,bsdtime,args=COMMAND";

struct Reader {
    wish: Wish,
    format: Option<Vec<Column>>,
    named: Option<&'static str>,
    is_long_without_address: bool,
}

/// Reads the words. None asks for help; the error is the message.
pub(super) fn read(arguments: &[String]) -> Result<Option<Wish>, String> {
    let mut reader = Reader {
        wish: Wish {
            columns: Vec::new(),
            has_header: true,
            sort: None,
            is_forest: false,
            draws_lines: false,
            is_bsd: false,
            width: None,
            shows_version: false,
            selection: Selection::default(),
        },
        format: None,
        named: None,
        is_long_without_address: false,
    };
    let mut words: VecDeque<&String> = arguments.iter().collect();
    while let Some(word) = words.pop_front() {
        let done = if let Some(long) = word.strip_prefix("--") {
            reader.long(long, &mut words)?
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            // -aux and the like are taken for BSD's, as nobody's name is x.
            if letters == "aux" || letters == "auxw" || letters == "auxww" || letters == "auxf" {
                reader.bsd(letters, &mut words)?
            } else {
                reader.unix(letters, &mut words)?
            }
        } else if word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
        {
            reader.wish.selection.pids.extend(numbers(word)?);
            true
        } else {
            reader.bsd(word, &mut words)?
        };
        if !done {
            return Ok(None);
        }
    }
    let named = match (reader.named, reader.wish.is_bsd) {
        (Some(LONG), _) if reader.is_long_without_address => LONG_WITHOUT_ADDRESS,
        (Some(named), _) => named,
        (None, true) => BSD,
        (None, false) => DEFAULT,
    };
    reader.wish.columns = match reader.format {
        Some(columns) => columns,
        None => format(named)?,
    };
    Ok(Some(reader.wish))
}

const FULL: &str = "user=UID,pid,ppid,c,stime,tname,time,cmd";
const EXTRA: &str = "user=UID,pid,ppid,c,sz,rss,psr,stime,tname,time,cmd";
const LONG: &str = "f,s,uid,pid,ppid,c,opri,ni,addr_sz,wchan,tname,time,ucmd";
const LONG_WITHOUT_ADDRESS: &str = "s,uid,pid,ppid,c,opri,ni,rss,sz,wchan,tname,time,ucmd";
const LONG_FULL: &str = "f,s,user=UID,pid,ppid,c,opri,ni,addr_sz,wchan,stime,tname,time,cmd";
const JOBS: &str = "pid,pgid,tname,time,ucmd";
const BSD_USER: &str = "user,pid,%cpu,%mem,vsz,rss,tname,stat,start_time,bsdtime,args=COMMAND";
const BSD_LONG: &str = "f,uid,pid,ppid,pri,ni,vsz,rss,wchan,stat,tname,bsdtime,args=COMMAND";
const BSD_JOBS: &str = "ppid,pid,pgid,tname,stat,uid,bsdtime,args=COMMAND";

fn format(text: &str) -> Result<Vec<Column>, String> {
    text.split([',', ' ', '\t'])
        .filter(|word| !word.is_empty())
        .map(|word| {
            columns::read(word).ok_or_else(|| {
                let name = word.split(['=', ':']).next().unwrap_or(word);
                format!("unknown user-defined format specifier \"{name}\"")
            })
        })
        .collect()
}

fn numbers(text: &str) -> Result<Vec<u32>, String> {
    list(text)
        .map(|word| {
            word.parse::<u32>()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| {
                    if word.bytes().all(|byte| byte.is_ascii_digit()) {
                        "process ID out of range".to_owned()
                    } else {
                        "process ID list syntax error".to_owned()
                    }
                })
        })
        .collect()
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t']).filter(|word| !word.is_empty())
}

impl Reader {
    fn add_format(&mut self, text: &str) -> Result<(), String> {
        let columns = format(text)?;
        if columns.is_empty() {
            return Err("format specification must follow -o".to_owned());
        }
        self.format.get_or_insert_default().extend(columns);
        Ok(())
    }

    /// Adds columns to the usual ones, behind the number.
    fn add_to_usual(&mut self, text: &str) -> Result<(), String> {
        self.add_format(&format!("pid,{text},s,tname,time,args"))
    }

    fn users(&mut self, text: &str) -> Result<(), String> {
        for word in list(text) {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            let is_known = is_number || ["root", "nobody", process::USER_NAME].contains(&word);
            if !is_known && !table::is_user(word) {
                return Err("user name does not exist".to_owned());
            }
            let user = self.wish.selection.user.get_or_insert(false);
            *user |= table::is_user(word);
        }
        Ok(())
    }

    fn unix(&mut self, letters: &str, words: &mut VecDeque<&String>) -> Result<bool, String> {
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let attached = letters.as_str();
            let mut value = |what: &str| {
                if !attached.is_empty() {
                    return Ok(attached.to_owned());
                }
                words
                    .pop_front()
                    .cloned()
                    .ok_or_else(|| format!("{what} must follow -{letter}"))
            };
            match letter {
                'o' => {
                    let text = value("format specification")?;
                    self.add_format(&text)?;
                }
                'O' => {
                    let text = value("format specification")?;
                    self.add_to_usual(&text)?;
                }
                'p' | 'q' => {
                    let text = value("process ID list")?;
                    self.wish.selection.pids.extend(numbers(&text)?);
                }
                'C' => {
                    let text = value("list of command names")?;
                    self.wish
                        .selection
                        .names
                        .extend(text.split(',').map(str::to_owned));
                }
                'u' | 'U' => {
                    let text = value("list of users")?;
                    self.users(&text)?;
                }
                'g' | 'G' => {
                    let text = value("list of session leaders OR effective group names")?;
                    self.wish
                        .selection
                        .groups
                        .extend(list(&text).filter_map(|word| word.parse::<u32>().ok()));
                }
                't' => {
                    value("list of terminals")?;
                    self.wish.selection.names_terminal = true;
                }
                _ => {
                    self.unix_flag(letter)?;
                    continue;
                }
            }
            break;
        }
        Ok(true)
    }

    fn unix_flag(&mut self, letter: char) -> Result<(), String> {
        match letter {
            'e' | 'A' | 'a' | 'd' => self.wish.selection.takes_all = true,
            'N' => self.wish.selection.is_negated = true,
            'f' => {
                self.named = Some(match self.named {
                    Some(LONG) => LONG_FULL,
                    other => other.unwrap_or(FULL),
                });
            }
            'F' => self.named = Some(EXTRA),
            'l' => {
                self.named = Some(match self.named {
                    Some(FULL) => LONG_FULL,
                    other => other.unwrap_or(LONG),
                });
            }
            'j' => self.named = Some(JOBS),
            'y' => self.is_long_without_address = true,
            'H' => self.wish.is_forest = true,
            'w' => self.wish.width = None,
            'V' => self.wish.shows_version = true,
            'c' | 'm' | 'L' | 'T' | 'P' | 'M' => {}
            _ => return Err("unsupported SysV option".to_owned()),
        }
        Ok(())
    }

    fn bsd(&mut self, letters: &str, words: &mut VecDeque<&String>) -> Result<bool, String> {
        self.wish.is_bsd = true;
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let attached = letters.as_str();
            let mut value = |what: &str| {
                if !attached.is_empty() {
                    return Ok(attached.to_owned());
                }
                words
                    .pop_front()
                    .cloned()
                    .ok_or_else(|| format!("{what} must follow {letter}"))
            };
            match letter {
                'o' => {
                    let text = value("format specification")?;
                    self.add_format(&text)?;
                    break;
                }
                'O' => {
                    let text = value("format specification")?;
                    self.add_to_usual(&text)?;
                    break;
                }
                'k' => {
                    self.wish.sort = Some(value("long sort specification")?);
                    break;
                }
                'p' | 'q' => {
                    let text = value("process ID list")?;
                    self.wish.selection.pids.extend(numbers(&text)?);
                    break;
                }
                'U' => {
                    let text = value("list of users")?;
                    self.users(&text)?;
                    break;
                }
                't' => {
                    value("list of terminals")?;
                    self.wish.selection.names_terminal = true;
                    break;
                }
                'a' | 'x' | 'g' | 'T' => {}
                'r' => self.wish.selection.only_running = true,
                'u' => self.named = Some(BSD_USER),
                'l' => self.named = Some(BSD_LONG),
                'j' => self.named = Some(BSD_JOBS),
                'f' => (self.wish.is_forest, self.wish.draws_lines) = (true, true),
                'h' => self.wish.has_header = false,
                'w' => self.wish.width = None,
                'V' => self.wish.shows_version = true,
                'c' | 'e' | 'n' | 'S' | 'm' | 'H' => {}
                _ => return Err("unsupported option (BSD syntax)".to_owned()),
            }
        }
        Ok(true)
    }

    fn long(&mut self, long: &str, words: &mut VecDeque<&String>) -> Result<bool, String> {
        let (name, given) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let mut value = |what: &str| {
            given
                .clone()
                .or_else(|| words.pop_front().cloned())
                .ok_or_else(|| format!("{what} must follow --{name}"))
        };
        match name {
            "help" => return Ok(false),
            "version" => self.wish.shows_version = true,
            "no-headers" | "no-heading" | "noheaders" | "noheading" | "no-headings" => {
                self.wish.has_header = false;
            }
            "headers" | "heading" | "headings" | "cumulative" => {}
            "forest" => (self.wish.is_forest, self.wish.draws_lines) = (true, true),
            "deselect" => self.wish.selection.is_negated = true,
            "sort" => self.wish.sort = Some(value("long sort specification")?),
            "format" => {
                let text = value("format specification")?;
                self.add_format(&text)?;
            }
            "pid" | "quick-pid" => {
                let text = value("process ID list")?;
                self.wish.selection.pids.extend(numbers(&text)?);
            }
            "ppid" => {
                let text = value("process ID list")?;
                self.wish.selection.parents.extend(numbers(&text)?);
            }
            "user" | "User" => {
                let text = value("list of users")?;
                self.users(&text)?;
            }
            "group" | "Group" => {
                let text = value("list of groups")?;
                self.wish
                    .selection
                    .groups
                    .extend(list(&text).filter_map(|word| word.parse::<u32>().ok()));
            }
            "tty" => {
                value("list of terminals")?;
                self.wish.selection.names_terminal = true;
            }
            "cols" | "columns" | "width" => {
                let text = value("column count")?;
                let width = text.parse::<usize>().ok().filter(|width| *width > 0);
                self.wish.width =
                    Some(width.ok_or_else(|| "screen width out of range".to_owned())?);
            }
            "rows" | "lines" => {
                value("row count")?;
            }
            _ => return Err("unknown gnu long option".to_owned()),
        }
        Ok(true)
    }
}
