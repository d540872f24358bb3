//! diff, cmp, diff3 and sdiff as GNU's diffutils 3.8 have them, and patch as GNU's 2.7: one program of many names.

mod cmp;
mod compare;
mod contents;
mod diff;
mod diff3;
mod folder;
mod groups;
mod locale;
mod options;
mod output;
mod patch;
mod pen;
mod sdiff;
mod side;
mod text;

type Run = fn(&[String]) -> u8;

/// The commands by name, in order.
const COMMANDS: &[(&str, Run)] = &[
    ("cmp", cmp::run),
    ("diff", diff::run),
    ("diff3", diff3::run),
    ("patch", patch::run),
    ("sdiff", sdiff::run),
];

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// Runs the command that the first argument names and returns its exit status.
#[must_use]
pub fn run(arguments: &[String]) -> u8 {
    let (called, words) = arguments
        .split_first()
        .map_or(("diff", &[][..]), |(name, words)| (name.as_str(), words));
    let name = called.rsplit('/').next().unwrap_or(called);
    match COMMANDS.iter().find(|(known, _)| *known == name) {
        Some((_, command)) => command(words),
        None => {
            eprintln!("{name}: this command is not part of the program");
            127
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_programs_is_complete_and_in_order() {
        let listed: Vec<&str> = include_str!("../programs").lines().collect();
        assert!(names().eq(listed), "programs lists other names");
        assert!(names().is_sorted(), "the names are out of order");
    }
}
