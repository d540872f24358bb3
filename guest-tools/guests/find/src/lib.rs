//! `find` and `xargs`, with the expressions, messages and exit statuses of GNU findutils.
//!
//! `parse` turns the command line into the tree of `expression`, `walk` goes over the files without recursion, and
//! `evaluate` asks the tree about each. A file's status is fetched once and only when something asks for it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail"))]

mod children;
mod date;
mod entry;
mod evaluate;
mod execute;
mod expression;
mod list;
mod messages;
mod output;
mod parse;
mod printf;
mod walk;
mod xargs;

/// Runs `find` or `xargs`, as the name in the first argument says. Returns the exit status.
pub fn run(arguments: &[String]) -> u8 {
    let called = arguments.first().map_or("find", String::as_str);
    let name = called.rsplit('/').next().unwrap_or(called);
    let rest = arguments.get(1..).unwrap_or_default();
    if name == "xargs" {
        xargs::run(rest)
    } else {
        find(rest)
    }
}

fn find(arguments: &[String]) -> u8 {
    match parse::parse(arguments) {
        Ok(parse::Parsed::Search(search)) => walk::search(*search),
        Ok(parse::Parsed::Show(text)) => {
            let mut output = output::Output::default();
            output.print(text.as_bytes());
            output.finish()
        }
        Err(message) => {
            messages::report("find", &message);
            1
        }
    }
}
