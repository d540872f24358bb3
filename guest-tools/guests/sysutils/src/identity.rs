//! id, whoami, groups, logname, users, who: the one user of a hand.

use crate::owner::Owner;
use crate::quoting;
use crate::report::{self, complain, finish, usage};
use gnu_options::named::{self, Item, Order};

/// Runs id.
pub(crate) fn id(program: &str, arguments: &[String]) -> u8 {
    let specification = "a Z/context g/group G/groups n/name r/real u/user z/zero";
    let items = match named::parse(arguments, specification, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let (mut what, mut shows_name, mut is_real, mut has_zero) = (None, false, false, false);
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("help", _) => {
                return report::help(
                    "Usage: id [OPTION]... [USER]...\nPrint user and group information: -u, -g, -G, -n, -r, -z.\n",
                );
            }
            Item::Option("version", _) => return report::version(program),
            Item::Option("name", _) => shows_name = true,
            Item::Option("real", _) => is_real = true,
            Item::Option("zero", _) => has_zero = true,
            Item::Option("context", _) => {
                complain(
                    program,
                    "--context (-Z) works only on an SELinux-enabled kernel",
                );
                return 1;
            }
            Item::Option("a", _) => {}
            Item::Option(name, _) if what.is_some_and(|what| what != name) => {
                complain(program, "cannot print \"only\" of more than one choice");
                return 1;
            }
            Item::Option(name, _) => what = Some(name),
        }
    }
    if what.is_none() && (shows_name || is_real) {
        complain(
            program,
            "cannot print only names or real IDs in default format",
        );
        return 1;
    }
    if what.is_none() && has_zero {
        complain(program, "option --zero not permitted in default format");
        return 1;
    }
    let owner = Owner::of_hand();
    let mut status = 0;
    let count = operands.len().max(1);
    for place in 0..count {
        let account = match operands.get(place) {
            None => owner.clone(),
            Some(user) => match Owner::known(user) {
                Some(account) => account,
                None => {
                    let user = quoting::curly(user);
                    complain(program, format_args!("{user}: no such user"));
                    status = 1;
                    continue;
                }
            },
        };
        let (name, group, number) = (&account.name, account.group(), account.id);
        let text = match what {
            None => format!("uid={number}({name}) gid={number}({group}) groups={number}({group})"),
            Some("user") if shows_name => name.clone(),
            Some(_) if shows_name => group.to_owned(),
            Some(_) => number.to_string(),
        };
        let end = if has_zero { '\0' } else { '\n' };
        print!("{text}{end}");
    }
    finish(program, Ok(())).max(status)
}

/// Runs whoami.
pub(crate) fn whoami(program: &str, arguments: &[String]) -> u8 {
    plain(
        program,
        arguments,
        0,
        "Print the user name associated with the current effective user ID.",
        |_| Ok(Owner::of_hand().name),
    )
}

/// Runs logname.
pub(crate) fn logname(program: &str, arguments: &[String]) -> u8 {
    plain(
        program,
        arguments,
        0,
        "Print the user's login name.",
        // Nobody logs in to a hand.
        |_| Err("no login name".to_owned()),
    )
}

/// Runs groups.
pub(crate) fn groups(program: &str, arguments: &[String]) -> u8 {
    plain(
        program,
        arguments,
        usize::MAX,
        "Print group memberships for each USERNAME.",
        |users| {
            let owner = Owner::of_hand();
            if users.is_empty() {
                return Ok(owner.name);
            }
            let mut lines = Vec::new();
            for user in users {
                let Some(account) = Owner::known(user) else {
                    return Err(format!("{}: no such user", quoting::curly(user)));
                };
                lines.push(format!("{user} : {}", account.group()));
            }
            Ok(lines.join("\n"))
        },
    )
}

/// Runs users and who: nobody is logged in, for there is no terminal.
pub(crate) fn nobody(program: &str, arguments: &[String]) -> u8 {
    match named::parse(
        arguments,
        "a/all b/boot d/dead H/heading l/login lookup m q/count r/runlevel s/short t/time T/mesg u/users w",
        Order::Any,
    ) {
        Err(message) => usage(program, message, 1),
        Ok(items) if items.contains(&Item::Option("help", None)) => {
            report::help("Print who is currently logged in.\n")
        }
        Ok(items) if items.contains(&Item::Option("version", None)) => report::version(program),
        Ok(items) => {
            if items.contains(&Item::Option("count", None)) {
                println!("# users=0");
            }
            finish(program, Ok(()))
        }
    }
}

/// Runs a command without options that prints a text.
fn plain(
    program: &str,
    arguments: &[String],
    operands_max: usize,
    about: &str,
    text: impl Fn(&[String]) -> Result<String, String>,
) -> u8 {
    let items = match named::parse(arguments, "", Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let mut operands = Vec::new();
    for item in items {
        match item {
            Item::Operand(operand) => operands.push(operand),
            Item::Option("version", _) => return report::version(program),
            Item::Option(..) => {
                return report::help(&format!("Usage: {program} [OPTION]...\n{about}\n"));
            }
        }
    }
    if let Some(extra) = operands.get(operands_max..).and_then(<[String]>::first) {
        return usage(
            program,
            format_args!("extra operand {}", quoting::curly(extra)),
            1,
        );
    }
    match text(&operands) {
        Ok(text) => {
            println!("{text}");
            finish(program, Ok(()))
        }
        Err(message) => {
            complain(program, message);
            1
        }
    }
}
