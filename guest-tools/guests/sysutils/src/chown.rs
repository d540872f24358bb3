//! chown and chgrp: everything belongs to the one user of a hand, so only that user and group can be given.

use std::io::{self, Write};
use std::path::Path;

use crate::owner::Owner;
use crate::quoting;
use crate::report::{self, complain, reason};
use crate::system::{Facts, Kind, stat};
use crate::tree;
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "c/changes f/silent quiet v/verbose dereference h/no-dereference no-preserve-root \
    preserve-root from= reference= R/recursive H L P";

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return report::usage(program, message, 1),
    };
    let (mut says_all, mut is_silent, mut is_recursive, mut follow) = (false, false, false, true);
    let mut reference = None;
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) if program == "chgrp" => return report::help(HELP_GROUP),
            Item::Option("help", _) => return report::help(HELP),
            Item::Option("version", _) => return report::version(program),
            Item::Option("silent" | "quiet", _) => is_silent = true,
            Item::Option("verbose", _) => says_all = true,
            Item::Option("no-dereference", _) => follow = false,
            Item::Option("recursive", _) => is_recursive = true,
            Item::Option("reference", value) => reference = value,
            // Nothing ever changes, so `-c` has nothing to say; and whose a file is, `--from` can be sure of.
            Item::Option(..) => {}
        }
    }
    let owner = Owner::of_hand();
    let mut wanted = None;
    if reference.is_none() {
        if operands.is_empty() {
            return report::usage(program, "missing operand", 1);
        }
        let text = operands.remove(0);
        if operands.is_empty() {
            return report::usage(
                program,
                format_args!("missing operand after {}", quoting::curly(&text)),
                1,
            );
        }
        if let Err(message) = check(program, &text, &owner) {
            complain(program, message);
            return 1;
        }
        wanted = Some(text);
    } else if operands.is_empty() {
        return report::usage(program, "missing operand", 1);
    }
    let shown = wanted.as_deref().map_or_else(
        || shown_owner(program, &owner),
        |text| shown_wish(program, text, &owner),
    );
    let mut run = Run {
        program,
        says_all,
        is_silent,
        shown,
        status: 0,
    };
    if let Some(reference) = reference
        && let Err(error) = stat(Path::new(&reference), true)
    {
        let name = quoting::quoted(&reference);
        complain(
            program,
            format_args!("failed to get attributes of {name}: {}", reason(&error)),
        );
        return 1;
    }
    for operand in &operands {
        run.operand(Path::new(operand), is_recursive, follow);
    }
    let flushed = io::stdout().flush();
    report::finish(program, flushed).max(run.status)
}

/// Checks that the owner and the group are the ones that there are.
fn check(program: &str, text: &str, owner: &Owner) -> Result<(), String> {
    let invalid = |what: &str, name: &str| Err(format!("invalid {what}: {}", quoting::curly(name)));
    if program == "chgrp" {
        return if text.is_empty() || owner.is_called(text) {
            Ok(())
        } else {
            invalid("group", text)
        };
    }
    let (user, group) = text.split_once([':', '.']).unwrap_or((text, ""));
    if !user.is_empty() && !owner.is_called(user) {
        return invalid("user", text);
    }
    if !group.is_empty() && !owner.is_called(group) {
        return invalid("group", text);
    }
    Ok(())
}

fn shown_owner(program: &str, owner: &Owner) -> String {
    if program == "chgrp" {
        owner.name.clone()
    } else {
        format!("{}:{}", owner.name, owner.name)
    }
}

fn shown_wish(program: &str, text: &str, owner: &Owner) -> String {
    let name = &owner.name;
    match text.split_once([':', '.']) {
        _ if program == "chgrp" => name.clone(),
        Some(("", _)) => format!(":{name}"),
        Some(_) => format!("{name}:{name}"),
        None => name.clone(),
    }
}

struct Run<'a> {
    program: &'a str,
    says_all: bool,
    is_silent: bool,
    shown: String,
    status: u8,
}

impl Run<'_> {
    fn operand(&mut self, path: &Path, is_recursive: bool, follow: bool) {
        // Children first, as GNU reports them.
        let status = match stat(path, follow) {
            Ok(status) => status,
            Err(error) => {
                self.status = 1;
                if !self.is_silent {
                    let is_dangling =
                        stat(path, false).is_ok_and(|status| status.kind == Kind::Symlink);
                    let what = if is_dangling {
                        "cannot dereference"
                    } else {
                        "cannot access"
                    };
                    complain(
                        self.program,
                        format_args!("{what} {}: {}", quoted(path), reason(&error)),
                    );
                }
                return;
            }
        };
        if is_recursive && status.is_directory() {
            match tree::children(path) {
                Ok(children) => {
                    for child in children {
                        self.operand(&child, true, false);
                    }
                }
                Err(error) => {
                    self.status = 1;
                    if !self.is_silent {
                        complain(
                            self.program,
                            format_args!(
                                "cannot read directory {}: {}",
                                quoted(path),
                                reason(&error)
                            ),
                        );
                    }
                }
            }
        }
        if self.says_all {
            let what = if self.program == "chgrp" {
                "group"
            } else {
                "ownership"
            };
            println!("{what} of {} retained as {}", quoted(path), self.shown);
        }
    }
}

fn quoted(path: &Path) -> String {
    quoting::quoted(&path.to_string_lossy())
}

const HELP: &str = "\
Usage: chown [OPTION]... [OWNER][:[GROUP]] FILE...
  or:  chown [OPTION]... --reference=RFILE FILE...
Change the owner and/or group of each FILE. There is but one user here, who owns all.

  -c, --changes; -f, --silent; -v, --verbose; -h, --no-dereference; -R, --recursive
";
const HELP_GROUP: &str = "\
Usage: chgrp [OPTION]... GROUP FILE...
  or:  chgrp [OPTION]... --reference=RFILE FILE...
Change the group of each FILE. There is but one group here.

  -c, --changes; -f, --silent; -v, --verbose; -h, --no-dereference; -R, --recursive
";
