//! The core utilities that uutils has: one program that is called by many names.
//!
//! What needs file modes, owners, other processes or the host is
//! not here but in the crate `sysutils`.

mod own_output;
mod usage;

use std::ffi::OsString;
use std::vec::IntoIter;

use uucore::locale::setup_localization;

type Main = fn(IntoIter<OsString>) -> i32;

/// The utilities by name, in order.
const UTILITIES: &[(&str, Main)] = &[
    ("b2sum", uu_b2sum::uumain),
    ("basename", uu_basename::uumain),
    ("cat", uu_cat::uumain),
    ("cksum", uu_cksum::uumain),
    ("comm", uu_comm::uumain),
    ("csplit", uu_csplit::uumain),
    ("dircolors", uu_dircolors::uumain),
    ("dirname", uu_dirname::uumain),
    ("echo", uu_echo::uumain),
    ("expand", uu_expand::uumain),
    ("expr", uu_expr::uumain),
    ("factor", uu_factor::uumain),
    ("head", uu_head::uumain),
    ("join", uu_join::uumain),
    ("link", uu_link::uumain),
    ("md5sum", uu_md5sum::uumain),
    ("nl", uu_nl::uumain),
    ("numfmt", uu_numfmt::uumain),
    ("od", uu_od::uumain),
    ("paste", uu_paste::uumain),
    ("pathchk", uu_pathchk::uumain),
    ("pr", uu_pr::uumain),
    ("printenv", uu_printenv::uumain),
    ("printf", uu_printf::uumain),
    ("ptx", uu_ptx::uumain),
    ("pwd", uu_pwd::uumain),
    ("readlink", uu_readlink::uumain),
    ("realpath", uu_realpath::uumain),
    ("rm", uu_rm::uumain),
    ("rmdir", uu_rmdir::uumain),
    ("seq", uu_seq::uumain),
    ("sha1sum", uu_sha1sum::uumain),
    ("sha224sum", uu_sha224sum::uumain),
    ("sha256sum", uu_sha256sum::uumain),
    ("sha384sum", uu_sha384sum::uumain),
    ("sha512sum", uu_sha512sum::uumain),
    ("shred", uu_shred::uumain),
    ("shuf", uu_shuf::uumain),
    ("sleep", uu_sleep::uumain),
    ("split", uu_split::uumain),
    ("sum", uu_sum::uumain),
    ("tee", uu_tee::uumain),
    ("tr", uu_tr::uumain),
    ("truncate", uu_truncate::uumain),
    ("tsort", uu_tsort::uumain),
    ("tty", uu_tty::uumain),
    ("unexpand", uu_unexpand::uumain),
    ("uniq", uu_uniq::uumain),
    ("unlink", uu_unlink::uumain),
    ("yes", uu_yes::uumain),
];

/// Returns the names that this program answers to, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    UTILITIES.iter().map(|(name, _)| *name)
}

/// Runs the utility that `arguments` begins with; `coreutils NAME ...` runs NAME.
pub fn run(arguments: &[String]) -> u8 {
    let Some((called, rest)) = arguments.split_first() else {
        eprintln!("coreutils: missing argument");
        return 1;
    };
    let name = base_name(called);
    if let Some(main) = find(name) {
        return start(name, main, rest);
    }
    match rest.split_first() {
        Some((option, _)) if option == "--list" => {
            names().for_each(|name| println!("{name}"));
            0
        }
        Some((name, rest)) => match find(name) {
            Some(main) => {
                uucore::set_utility_is_second_arg();
                start(name, main, rest)
            }
            None => {
                eprintln!("coreutils: unknown program '{name}'");
                1
            }
        },
        None => {
            eprintln!("coreutils: missing argument");
            1
        }
    }
}

fn find(name: &str) -> Option<Main> {
    let place = UTILITIES
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()?;
    UTILITIES.get(place).map(|(_, main)| *main)
}

fn start(name: &str, main: Main, arguments: &[String]) -> u8 {
    let arguments = match usage::check(name, arguments) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let (arguments, has_own_output) = match name {
        "cat" => own_output::without_own_output(arguments),
        _ => (Some(arguments), false),
    };
    let Some(arguments) = arguments else {
        return 1;
    };
    // Without its texts a utility would show their keys; it works all the same.
    let _ = setup_localization(name);
    let name = [OsString::from(name)];
    let arguments: Vec<OsString> = name
        .into_iter()
        .chain(arguments.iter().map(OsString::from))
        .collect();
    let status = main(arguments.into_iter());
    let status = u8::try_from(status & 0xff).unwrap_or(1);
    status.max(u8::from(has_own_output))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_programs_is_complete_and_in_order() {
        let listed: Vec<&str> = include_str!("../programs").lines().collect();
        assert!(names().eq(listed), "programs lists other names");
        assert!(
            names().is_sorted(),
            "a name that is out of order is never found"
        );
    }
}
