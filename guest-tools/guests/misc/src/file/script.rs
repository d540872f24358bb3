//! Scripts that begin with `#!`.

use super::text::{Ending, Topic};

/// Folders, the program's name or how it begins, the words, and the MIME type.
type Rule = (
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
);

const BIN: &[&str] = &["/bin", "/usr/bin", "/usr/local/bin"];
const LOCAL: &[&str] = &["/bin", "/usr/bin", "/usr/local/bin", "/usr/local"];
const USR: &[&str] = &["/usr/bin", "/usr/local/bin"];
const SHELL: &str = "text/x-shellscript";

/// The whole name has to fit.
const WHOLE: &[Rule] = &[
    (&["/bin"], "sh", "POSIX shell script", SHELL),
    (&["/bin"], "csh", "C shell script", SHELL),
    (&["/bin"], "ksh", "Korn shell script", SHELL),
    (&["/bin"], "rc", "Plan 9 rc shell script", "text/plain"),
    (LOCAL, "bash", "Bourne-Again shell script", SHELL),
    (LOCAL, "tcsh", "Tenex C shell script", SHELL),
    (BIN, "zsh", "Paul Falstad's zsh script", SHELL),
    (BIN, "ash", "Neil Brown's ash script", SHELL),
    (USR, "fish", "fish shell script", SHELL),
    (BIN, "awk", "awk script", "text/x-awk"),
    (BIN, "gawk", "GNU awk script", "text/x-gawk"),
    (BIN, "nawk", "new awk script", "text/x-nawk"),
];

/// The beginning of the name has to fit.
const BEGINNINGS: &[Rule] = &[
    (USR, "python", "Python script", "text/x-script.python"),
    (USR, "ruby", "Ruby script", "text/x-ruby"),
    (USR, "php", "PHP script", "text/x-php"),
    (USR, "lua", "Lua script", "text/x-lua"),
    (&["/usr/bin"], "tclsh", "Tcl/Tk script", "text/x-tcl"),
    (USR, "wish", "Tcl/Tk script", "text/x-tcl"),
    (USR, "tcl", "Tcl script", "text/x-tcl"),
];

/// Behind `/usr/bin/env`.
const ENV: &[(&str, &str, &str)] = &[
    ("bash", "Bourne-Again shell script", SHELL),
    ("fish", "fish shell script", SHELL),
    ("zsh", "Paul Falstad's zsh script", SHELL),
    ("python", "Python script", "text/x-script.python"),
    ("ruby", "Ruby script", "text/x-ruby"),
    ("lua", "Lua script", "text/x-lua"),
    ("wish", "Tcl/Tk script", "text/x-tcl"),
    ("tcl", "Tcl script", "text/x-tcl"),
];

/// Returns what a script is for.
pub(super) fn find(bytes: &[u8]) -> Option<Topic> {
    let line = bytes.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or(line);
    let has_more = line.len() + 2 < bytes.len();
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    let (path, arguments) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let arguments = arguments.trim_start();
    let topic = |words: &str, mime| {
        Some(Topic {
            words: words.to_owned(),
            mime,
            ending: Ending::Executable,
        })
    };
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let called = if path == "/usr/bin/env" {
        arguments.split([' ', '\t']).next().unwrap_or("")
    } else {
        name
    };
    let is_usual = path == "/usr/bin/env" || BIN.contains(&folder);
    if is_usual && called == "perl" {
        return Some(Topic {
            words: "Perl script text executable".to_owned(),
            mime: "text/x-perl",
            ending: Ending::Nothing,
        });
    }
    if is_usual && matches!(called, "node" | "nodejs") {
        return Some(Topic {
            words: "Node.js script executable".to_owned(),
            mime: "application/javascript",
            ending: Ending::Text,
        });
    }
    if path == "/usr/bin/env" {
        let known = ENV.iter().find(|(known, ..)| arguments.starts_with(known));
        return match known {
            Some((_, words, mime)) => topic(words, mime),
            None => topic(&format!("a {arguments} script"), "text/plain"),
        };
    }
    let whole = WHOLE
        .iter()
        .find(|(folders, known, ..)| name == *known && folders.contains(&folder) && has_more);
    let known = whole.or_else(|| {
        BEGINNINGS
            .iter()
            .find(|(folders, known, ..)| name.starts_with(known) && folders.contains(&folder))
    });
    match known {
        Some((_, _, words, mime)) => topic(words, mime),
        None => topic(&format!("a {line} script"), "text/plain"),
    }
}
