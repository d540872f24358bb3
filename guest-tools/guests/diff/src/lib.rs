//! diff and cmp, as GNU's diffutils 3.8 have them: one program that is called by either name.

mod cmp;
mod compare;
mod diff;
mod folder;
mod options;
mod output;
mod text;

/// Runs the command that the first argument names and returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    let (name, words) = arguments
        .split_first()
        .map_or(("diff", &[][..]), |(name, words)| (name.as_str(), words));
    match name.rsplit('/').next().unwrap_or(name) {
        "cmp" => cmp::run(words),
        "diff" => diff::run(words),
        other => {
            eprintln!("{other}: this command is not part of the program");
            127
        }
    }
}
