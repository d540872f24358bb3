//! `cd` and `pwd`: the working directory, which every subshell has its own of.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::arguments::Flags;
use super::builtin::{Builtin, Class, Invocation, Run};
use crate::state::{Outcome, SetOption, Shell, Shopt};
use crate::sys;

/// `cd`
pub const CD: Builtin = Builtin {
    name: "cd",
    usage: "cd [-L|[-P [-e]] [-@]] [dir]",
    class: Class::Regular,
    run: Run::Now(cd),
};

/// `pwd`
pub const PWD: Builtin = Builtin {
    name: "pwd",
    usage: "pwd [-LP]",
    class: Class::Regular,
    run: Run::Now(pwd),
};

/// Bounds how many symbolic links a path may lead through.
const LINKS_MAX: usize = 40;

fn cd(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "eLP@");
    let mut is_physical = shell.options.has(SetOption::Physical);
    while let Some(flag) = flags.next(shell, &CD) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) if flag.letter == b'L' => is_physical = false,
            Ok(flag) if flag.letter == b'P' => is_physical = true,
            Ok(_) => {}
        }
    }
    let (wanted, mut prints) = match flags.rest() {
        [] => match shell.get_string("HOME") {
            Some(home) => (home, false),
            None => return Ok(not_set(shell, "HOME")),
        },
        [dash] if dash.as_slice() == b"-" => match shell.get_string("OLDPWD") {
            Some(old) => (old, true),
            None => return Ok(not_set(shell, "OLDPWD")),
        },
        [directory] => (directory.clone(), false),
        _ => {
            shell.report_for(b"cd", "too many arguments");
            return Ok(1);
        }
    };
    for (candidate, is_named) in candidates(shell, &wanted) {
        if shell.change_directory(&candidate, is_physical).is_ok() {
            prints |= is_named;
            return Ok(finish(shell, prints));
        }
    }
    if shell.options.has_shopt(Shopt::CdableVars)
        && let Some(value) = shell.get(&wanted).map(|value| BString::from(&*value))
        && shell.change_directory(&value, is_physical).is_ok()
    {
        return Ok(finish(shell, true));
    }
    match shell.change_directory(&wanted, is_physical) {
        Ok(()) => Ok(finish(shell, prints)),
        Err(error) => {
            shell.report_for(b"cd", format_args!("{wanted}: {error}"));
            Ok(1)
        }
    }
}

fn not_set(shell: &mut Shell, name: &str) -> u8 {
    shell.report_for(b"cd", format_args!("{name} not set"));
    1
}

fn finish(shell: &mut Shell, prints: bool) -> u8 {
    if prints {
        let mut line = shell.directory.to_vec();
        line.push(b'\n');
        shell.print(&line);
    }
    0
}

/// Returns what CDPATH makes of a relative path, and whether the answer is to be printed.
fn candidates(shell: &Shell, wanted: &BString) -> Vec<(BString, bool)> {
    let first = wanted
        .split(|byte| *byte == b'/')
        .next()
        .unwrap_or_default();
    let Some(path) = shell.get_string("CDPATH") else {
        return Vec::new();
    };
    if wanted.is_empty() || matches!(first, b"" | b"." | b"..") {
        return Vec::new();
    }
    path.split(|byte| *byte == b':')
        .map(|folder| {
            let mut candidate = folder.to_vec();
            if !candidate.is_empty() && candidate.last() != Some(&b'/') {
                candidate.push(b'/');
            }
            candidate.extend_from_slice(wanted);
            (BString::from(candidate), !folder.is_empty())
        })
        .collect()
}

impl Shell {
    /// Makes `path` the working directory and tells PWD and OLDPWD.
    pub(super) fn change_directory(
        &mut self,
        path: &[u8],
        is_physical: bool,
    ) -> Result<(), sys::Errno> {
        if path.is_empty() {
            return Ok(());
        }
        let absolute = self.absolute(path);
        let target = if is_physical {
            physical(&absolute)?
        } else {
            match logical(&absolute, true) {
                Some(path) => path,
                // What stands before a `..` is not there. The kernel may know better, and of a working directory
                // that was deleted it knows the parent.
                None => match physical(&absolute) {
                    Ok(path) => path,
                    Err(error) => logical(&absolute, false)
                        .filter(|_| path.starts_with(b".."))
                        .ok_or(error)?,
                },
            }
        };
        let stat = sys::stat(&target, true)?;
        if stat.kind != sys::Kind::Directory {
            return Err(sys::Errno::NotDirectory);
        }
        // On a machine the kernel asks who it is; in a hand there is only the one user.
        if cfg!(target_family = "wasm") && stat.mode & 0o111 == 0 {
            return Err(sys::Errno::Access);
        }
        let old = std::mem::replace(&mut self.directory, Rc::new(target.clone()));
        // A read-only PWD stays as it is; the directory has changed all the same.
        let _ = self.set(b"OLDPWD", &old);
        let _ = self.set(b"PWD", &target);
        Ok(())
    }
}

/// Takes `.` and `..` out of an absolute path without following links; none if a directory that `..` leaves must be
/// there and is not.
fn logical(path: &[u8], must_exist: bool) -> Option<BString> {
    // Two slashes at the start mean something else than one or three.
    let root: &[u8] = if path.starts_with(b"//") && !path.starts_with(b"///") {
        b"//"
    } else {
        b"/"
    };
    let mut clean = root.to_vec();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let is_there =
                    sys::stat(&clean, true).is_ok_and(|stat| stat.kind == sys::Kind::Directory);
                if must_exist && !is_there {
                    return None;
                }
                let end = clean.rfind_byte(b'/').unwrap_or(0).max(root.len());
                clean.truncate(end);
            }
            part => {
                if clean.last() != Some(&b'/') {
                    clean.push(b'/');
                }
                clean.extend_from_slice(part);
            }
        }
    }
    Some(BString::from(clean))
}

/// Returns the path without symbolic links, `.` and `..`.
pub(super) fn physical(path: &[u8]) -> Result<BString, sys::Errno> {
    let mut rest: Vec<BString> = path
        .split(|byte| *byte == b'/')
        .rev()
        .map(BString::from)
        .collect();
    let mut clean = b"/".to_vec();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                let end = clean.rfind_byte(b'/').unwrap_or(0).max(1);
                clean.truncate(end);
                continue;
            }
            _ => {}
        }
        let before = clean.len();
        if clean.last() != Some(&b'/') {
            clean.push(b'/');
        }
        clean.extend_from_slice(&part);
        let stat = sys::stat(&clean, false)?;
        if stat.kind != sys::Kind::Symlink {
            continue;
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(sys::Errno::Loop);
        }
        let target = link_target(&clean)?;
        clean.truncate(before);
        if target.starts_with(b"/") {
            clean = b"/".to_vec();
        }
        rest.extend(target.split(|byte| *byte == b'/').rev().map(BString::from));
    }
    Ok(BString::from(clean))
}

fn link_target(path: &[u8]) -> Result<BString, sys::Errno> {
    let path = std::str::from_utf8(path).map_err(|_| sys::Errno::IllegalByteSequence)?;
    let target = std::fs::read_link(path)?;
    Ok(BString::from(target.into_os_string().into_encoded_bytes()))
}

fn pwd(shell: &mut Shell, invocation: &Invocation) -> Outcome {
    let mut flags = Flags::new(invocation, "LP");
    let mut is_physical = shell.options.has(SetOption::Physical);
    while let Some(flag) = flags.next(shell, &PWD) {
        match flag {
            Err(status) => return Ok(status),
            Ok(flag) => is_physical = flag.letter == b'P',
        }
    }
    let directory = if is_physical {
        match physical(&shell.directory) {
            Ok(path) => path,
            Err(error) => {
                shell.report_for(b"pwd", error);
                return Ok(1);
            }
        }
    } else {
        (*shell.directory).clone()
    };
    let mut line = directory.to_vec();
    line.push(b'\n');
    shell.print(&line);
    Ok(0)
}
