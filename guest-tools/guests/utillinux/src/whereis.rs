//! whereis: where the programs of a name are.

use crate::report;

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let mut shows_programs = true;
    let mut names = Vec::new();
    for word in arguments {
        match word.as_str() {
            "-b" => shows_programs = true,
            // There are no manuals and no sources.
            "-m" | "-s" => shows_programs = false,
            "-g" | "-u" | "-l" | "-f" => {}
            _ if word.starts_with('-') && word.len() > 1 => {
                report::complain(
                    program,
                    format_args!("bad usage\nTry '{program} --help' for more information."),
                );
                return 1;
            }
            _ => names.push(word),
        }
    }
    if names.is_empty() {
        report::complain(
            program,
            format_args!("not enough arguments\nTry '{program} --help' for more information."),
        );
        return 1;
    }
    let mut text = String::new();
    for name in names {
        text.push_str(name);
        text.push(':');
        if shows_programs {
            let path = std::env::var("PATH").unwrap_or_default();
            let mut found: Vec<String> = Vec::new();
            for folder in path.split(':').filter(|folder| !folder.is_empty()) {
                let place = format!("{}/{name}", folder.trim_end_matches('/'));
                if process::is_executable(&place) && !found.contains(&place) {
                    found.push(place);
                }
            }
            if found.is_empty() {
                found.extend(process::find(name));
            }
            for place in found {
                text.push(' ');
                text.push_str(&place);
            }
        }
        text.push('\n');
    }
    report::print(program, text)
}
