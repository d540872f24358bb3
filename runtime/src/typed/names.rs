//! Names as the model sees them: snake_case, unique in a component, at most 64 bytes.
//!
//! A tool is named after its function. Only where two functions of one component would meet does each
//! get its interface in front, so a name depends on its neighbours: it is fixed when a component is
//! added and stored with it. What still meets after that is refused, never numbered or guessed.

use std::collections::BTreeMap;

/// The longest name of a tool or property, in bytes: model APIs refuse longer ones.
pub const NAME_BYTES_MAX: usize = 64;

/// A function to be named: where it stands and what it is called there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unnamed<'a> {
    /// The prefix the operator asked for; it settles the name.
    pub prefix: Option<&'a str>,
    /// The short name of the interface; none for a function of the world itself.
    pub interface: Option<&'a str>,
    /// The function, in kebab-case.
    pub function: &'a str,
}

/// Returns a WIT name in snake_case.
///
/// One to one inside any scope: WIT names contain no `_`, and validation already refuses two names
/// that differ only in case.
pub(super) fn snake(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '-' => '_',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

/// Returns one name for each function, or the indices of functions that would share a name.
pub(super) fn tool_names(functions: &[Unnamed<'_>]) -> Result<Vec<String>, Clash> {
    let short: Vec<String> = functions.iter().map(short_name).collect();
    let crowd = count(&short);
    let names: Vec<String> = functions
        .iter()
        .zip(short)
        .map(
            |(function, short)| match (function.prefix, function.interface) {
                (None, Some(interface)) if crowd.get(&short).is_some_and(|&n| n > 1) => {
                    format!("{}_{short}", snake(interface))
                }
                _ => short,
            },
        )
        .collect();

    match count(&names).into_iter().find(|&(_, n)| n > 1) {
        None => Ok(names),
        Some((name, _)) => {
            let members = names
                .iter()
                .enumerate()
                .filter(|(_, other)| **other == name)
                .map(|(index, _)| index)
                .collect();
            Err(Clash { name, members })
        }
    }
}

/// Functions that no rule can tell apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clash {
    /// The name they share.
    pub name: String,
    /// Their indices in the list that was to be named.
    pub members: Vec<usize>,
}

fn short_name(function: &Unnamed<'_>) -> String {
    let name = snake(function.function);
    match function.prefix {
        Some(prefix) => format!("{}_{name}", snake(prefix)),
        None => name,
    }
}

fn count(names: &[String]) -> BTreeMap<String, usize> {
    let mut crowd = BTreeMap::new();
    for name in names {
        *crowd.entry(name.clone()).or_insert(0) += 1;
    }
    crowd
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    /// Reads `prefix=interface#function`, where prefix and interface may be left out.
    fn parse(text: &str) -> Unnamed<'_> {
        let (prefix, rest) = match text.split_once('=') {
            Some((prefix, rest)) => (Some(prefix), rest),
            None => (None, text),
        };
        match rest.split_once('#') {
            Some((interface, function)) => Unnamed {
                prefix,
                interface: Some(interface),
                function,
            },
            None => Unnamed {
                prefix,
                interface: None,
                function: rest,
            },
        }
    }

    #[test]
    fn names_and_clashes() {
        type Case<'a> = (&'a [&'a str], Result<&'a [&'a str], &'a str>);
        let cases: &[Case<'_>] = &[
            (&["count", "stats#skip-blank"], Ok(&["count", "skip_blank"])),
            (&["web#get-URL"], Ok(&["get_url"])),
            // A clash moves only those that meet; a function of the world has nothing to put in front.
            (&["a#run", "b#run", "a#get"], Ok(&["a_run", "b_run", "get"])),
            (&["run", "my-ops#run"], Ok(&["run", "my_ops_run"])),
            // Interfaces of one name, in two packages or versions, stay ambiguous.
            (&["ops#run", "ops#run"], Err("ops_run")),
            // Joined names can meet where the parts do not.
            (&["a-b#c", "x#c", "a#b-c", "x#b-c"], Err("a_b_c")),
            (&["ops-run", "ops#run", "x#run"], Err("ops_run")),
            // An asked-for prefix settles a name, and takes it out of the crowd.
            (&["two=ops#run", "ops#run"], Ok(&["two_run", "run"])),
            (&["a=ops#run", "a-run"], Err("a_run")),
        ];
        for (functions, expected) in cases {
            let unnamed: Vec<_> = functions.iter().map(|text| parse(text)).collect();
            let got = tool_names(&unnamed);
            match expected {
                Ok(names) => assert_eq!(got.unwrap(), *names, "{functions:?}"),
                Err(name) => {
                    let clash = got.unwrap_err();
                    assert_eq!(clash.name, *name, "{functions:?}");
                    assert!(clash.members.len() > 1, "{functions:?}");
                }
            }
        }
    }
}
