//! curl's command line.

use std::collections::VecDeque;

/// What an option does with the word behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Nothing: it is a switch, which `--no-...` turns off.
    Switch,
    Value,
}
use Takes::{Switch, Value};

/// Short form, long name, and what it takes. What stands here and is used nowhere is accepted and changes nothing:
/// the host sees to it, or it only changes how a terminal looks.
const OPTIONS: &[(char, &str, Takes)] = &[
    ('0', "http1.0", Switch),
    ('4', "ipv4", Switch),
    ('6', "ipv6", Switch),
    ('A', "user-agent", Value),
    ('C', "continue-at", Value),
    ('D', "dump-header", Value),
    ('F', "form", Value),
    ('G', "get", Switch),
    ('H', "header", Value),
    ('I', "head", Switch),
    ('J', "remote-header-name", Switch),
    ('K', "config", Value),
    ('L', "location", Switch),
    ('M', "manual", Switch),
    ('N', "no-buffer", Switch),
    ('O', "remote-name", Switch),
    ('R', "remote-time", Switch),
    ('S', "show-error", Switch),
    ('T', "upload-file", Value),
    ('V', "version", Switch),
    ('X', "request", Value),
    ('Y', "speed-limit", Value),
    ('Z', "parallel", Switch),
    ('#', "progress-bar", Switch),
    (':', "next", Switch),
    ('b', "cookie", Value),
    ('c', "cookie-jar", Value),
    ('d', "data", Value),
    ('e', "referer", Value),
    ('f', "fail", Switch),
    ('g', "globoff", Switch),
    ('h', "help", Switch),
    ('i', "include", Switch),
    ('j', "junk-session-cookies", Switch),
    ('k', "insecure", Switch),
    ('m', "max-time", Value),
    ('n', "netrc", Switch),
    ('o', "output", Value),
    ('q', "disable", Switch),
    ('r', "range", Value),
    ('s', "silent", Switch),
    ('u', "user", Value),
    ('v', "verbose", Switch),
    ('w', "write-out", Value),
    ('x', "proxy", Value),
    ('y', "speed-time", Value),
    ('z', "time-cond", Value),
    ('\0', "anyauth", Switch),
    ('\0', "basic", Switch),
    ('\0', "cacert", Value),
    ('\0', "capath", Value),
    ('\0', "cert", Value),
    ('\0', "compressed", Switch),
    ('\0', "connect-timeout", Value),
    ('\0', "connect-to", Value),
    ('\0', "create-dirs", Switch),
    ('\0', "data-ascii", Value),
    ('\0', "data-binary", Value),
    ('\0', "data-raw", Value),
    ('\0', "data-urlencode", Value),
    ('\0', "digest", Switch),
    ('\0', "fail-early", Switch),
    ('\0', "fail-with-body", Switch),
    ('\0', "form-string", Value),
    ('\0', "http1.1", Switch),
    ('\0', "http2", Switch),
    ('\0', "http2-prior-knowledge", Switch),
    ('\0', "http3", Switch),
    ('\0', "interface", Value),
    ('\0', "json", Value),
    ('\0', "keepalive-time", Value),
    ('\0', "key", Value),
    ('\0', "limit-rate", Value),
    ('\0', "location-trusted", Switch),
    ('\0', "max-filesize", Value),
    ('\0', "max-redirs", Value),
    ('\0', "no-progress-meter", Switch),
    ('\0', "noproxy", Value),
    ('\0', "oauth2-bearer", Value),
    ('\0', "output-dir", Value),
    ('\0', "parallel-max", Value),
    ('\0', "path-as-is", Switch),
    ('\0', "post301", Switch),
    ('\0', "post302", Switch),
    ('\0', "post303", Switch),
    ('\0', "proto", Value),
    ('\0', "proto-default", Value),
    ('\0', "proto-redir", Value),
    ('\0', "remote-name-all", Switch),
    ('\0', "remove-on-error", Switch),
    ('\0', "resolve", Value),
    ('\0', "retry", Value),
    ('\0', "retry-all-errors", Switch),
    ('\0', "retry-connrefused", Switch),
    ('\0', "retry-delay", Value),
    ('\0', "retry-max-time", Value),
    ('\0', "show-headers", Switch),
    ('\0', "skip-existing", Switch),
    ('\0', "ssl-reqd", Switch),
    ('\0', "stderr", Value),
    ('\0', "styled-output", Switch),
    ('\0', "tcp-nodelay", Switch),
    ('\0', "tls-max", Value),
    ('\0', "tlsv1", Switch),
    ('\0', "tlsv1.2", Switch),
    ('\0', "tlsv1.3", Switch),
    ('\0', "tr-encoding", Switch),
    ('\0', "unix-socket", Value),
    ('\0', "url", Value),
    ('\0', "url-query", Value),
];

/// One option as it was given, by its long name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A switch, on or off.
    Switch(&'static str, bool),
    /// An option with a value.
    Value(&'static str, String),
    /// A URL.
    Url(String),
}

/// Reads the words of a command line. The error is as curl words it, without the program's name.
pub(super) fn parse(words: &[String]) -> Result<Vec<Given>, String> {
    let mut given = Vec::new();
    let mut words: VecDeque<&String> = words.iter().collect();
    while let Some(word) = words.pop_front() {
        if word == "--" {
            given.extend(words.drain(..).map(|url| Given::Url(url.clone())));
        } else if let Some(name) = word.strip_prefix("--") {
            given.push(long(name, &mut words)?);
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            short(letters, word, &mut words, &mut given)?;
        } else {
            given.push(Given::Url(word.clone()));
        }
    }
    Ok(given)
}

fn long(name: &str, words: &mut VecDeque<&String>) -> Result<Given, String> {
    let find = |name: &str| {
        let exact = OPTIONS.iter().find(|(_, own, _)| *own == name);
        exact.map(|(_, own, takes)| (*own, *takes))
    };
    let (found, is_on) = match (find(name), name.strip_prefix("no-")) {
        (Some(found), _) => (Some(found), true),
        (None, Some(rest)) => (find(rest).filter(|(_, takes)| *takes == Switch), false),
        (None, None) => (None, true),
    };
    match found {
        None => Err(format!("option --{name}: is unknown")),
        Some((own, Switch)) => Ok(Given::Switch(own, is_on)),
        Some((own, Value)) => match words.pop_front() {
            Some(value) => Ok(Given::Value(own, value.clone())),
            None => Err(format!("option --{name}: requires parameter")),
        },
    }
}

fn short(
    letters: &str,
    word: &str,
    words: &mut VecDeque<&String>,
    given: &mut Vec<Given>,
) -> Result<(), String> {
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let found = OPTIONS
            .iter()
            .find(|(own, ..)| *own == letter && letter != '\0');
        match found {
            None => return Err(format!("option {word}: is unknown")),
            Some((_, own, Switch)) => given.push(Given::Switch(own, true)),
            Some((_, own, Value)) => {
                let value = match rest.as_str() {
                    "" => match words.pop_front() {
                        Some(value) => value.clone(),
                        None => return Err(format!("option {word}: requires parameter")),
                    },
                    value => value.to_owned(),
                };
                given.push(Given::Value(own, value));
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        let parsed = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            parse(&words)
        };
        let value = |name, value: &str| Given::Value(name, value.to_owned());
        assert_eq!(
            parsed("-sSfL -XPOST -o f --no-location u -- -v").unwrap(),
            [
                Given::Switch("silent", true),
                Given::Switch("show-error", true),
                Given::Switch("fail", true),
                Given::Switch("location", true),
                value("request", "POST"),
                value("output", "f"),
                Given::Switch("location", false),
                Given::Url("u".to_owned()),
                Given::Url("-v".to_owned()),
            ]
        );
        assert_eq!(parsed("--foo"), Err("option --foo: is unknown".to_owned()));
        assert_eq!(parsed("-sB x"), Err("option -sB: is unknown".to_owned()));
        assert_eq!(
            parsed("-o"),
            Err("option -o: requires parameter".to_owned())
        );
    }
}
