//! The walk: folders are read one at a time, and the way down is a list, so depth costs memory and no stack.

use process::{Errno, Kind, Listed, argument_bytes};

use crate::entry::Entry;
use crate::evaluate::Evaluation;
use crate::expression::{Follow, Search};
use crate::messages::{quoted, words};

/// A folder that is being walked.
struct Folder {
    entry: Entry,
    /// The names that are left, last first, with what the folder says of them.
    rest: Vec<Listed>,
    /// Device and inode, known where links are followed: a way back into itself must be seen.
    identity: Option<(u64, u64)>,
}

/// Carries out a search and returns the exit status.
pub fn search(search: Search) -> u8 {
    let mut roots = search.roots.clone();
    let mut evaluation = Evaluation::new(search);
    roots.reverse();
    while let Some(root) = roots.pop() {
        if evaluation.has_quit {
            break;
        }
        let is_followed = evaluation.search.follow != Follow::Never;
        let entry = Entry::root(&root, is_followed);
        if let Err(errno) = entry.stat() {
            evaluation.fail(&format!("{}: {}", quoted(&root), words(errno)));
            continue;
        }
        walk(entry, &mut evaluation);
    }
    evaluation.finish()
}

fn walk(root: Entry, evaluation: &mut Evaluation) {
    let device = if evaluation.search.is_one_device {
        root.stat().ok().map(|stat| stat.device)
    } else {
        None
    };
    let mut folders: Vec<Folder> = Vec::new();
    meet(root, &mut folders, device, evaluation);
    loop {
        if evaluation.has_quit {
            return;
        }
        let Some(folder) = folders.last_mut() else {
            return;
        };
        let Some(listed) = folder.rest.pop() else {
            if let Some(folder) = folders.pop()
                && evaluation.search.is_contents_first
            {
                evaluation.visit(&folder.entry);
            }
            continue;
        };
        let is_followed = evaluation.search.follow == Follow::Always;
        let Some(entry) = Entry::child(&folder.entry, &listed, is_followed) else {
            let text = format!("{}/{}", folder.entry.path, listed.name.to_string_lossy());
            evaluation.fail(&format!("{}: the name is no UTF-8: skipped", quoted(&text)));
            continue;
        };
        meet(entry, &mut folders, device, evaluation);
    }
}

/// Looks at an entry and, if it is a folder to be entered, puts it on the way.
fn meet(entry: Entry, folders: &mut Vec<Folder>, device: Option<u64>, evaluation: &mut Evaluation) {
    let kind = match entry.kind() {
        Ok(kind) => kind,
        Err(errno) => {
            // It vanished, or its folder may not be searched.
            if !(errno == Errno::NoEntry && evaluation.search.ignores_races) {
                evaluation.fail(&format!("{}: {}", quoted(&entry.path), words(errno)));
            }
            return;
        }
    };
    if kind != Kind::Directory {
        evaluation.visit(&entry);
        return;
    }
    let identity = if entry.is_followed {
        entry.stat().ok().map(|stat| (stat.device, stat.inode))
    } else {
        None
    };
    if let Some(identity) = identity
        && let Some(same) = folders
            .iter()
            .find(|folder| folder.identity == Some(identity))
    {
        let text = format!(
            "File system loop detected; {} is part of the same file system loop as {}.",
            quoted(&entry.path),
            quoted(&same.entry.path)
        );
        evaluation.fail(&text);
        return;
    }
    let is_contents_first = evaluation.search.is_contents_first;
    let is_pruned = !is_contents_first && evaluation.visit(&entry);
    if is_pruned || evaluation.has_quit {
        return;
    }
    let is_elsewhere =
        device.is_some_and(|device| entry.stat().is_ok_and(|stat| stat.device != device));
    let rest = if entry.depth >= evaluation.search.depth_max || is_elsewhere {
        Vec::new()
    } else {
        read_folder(&entry, evaluation)
    };
    folders.push(Folder {
        entry,
        rest,
        identity,
    });
}

/// Returns the names in a folder, last first.
fn read_folder(entry: &Entry, evaluation: &mut Evaluation) -> Vec<Listed> {
    let mut names = Vec::new();
    // That of a link is not what is asked for where links are followed.
    let with_stats = evaluation.asks_status && evaluation.search.follow != Follow::Always;
    match process::Folder::open(argument_bytes(&entry.path), with_stats) {
        Ok(listing) => {
            for listed in listing {
                match listed {
                    Ok(listed) => names.push(listed),
                    Err(errno) => {
                        evaluation.fail(&format!("{}: {}", quoted(&entry.path), words(errno)));
                    }
                }
            }
        }
        Err(errno) => evaluation.fail(&format!("{}: {}", quoted(&entry.path), words(errno))),
    }
    names.reverse();
    names
}
