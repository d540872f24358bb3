//! What is no regular file, and what a file's mode adds.

use process::{Kind, Stat};

use super::answer::Answer;

/// Returns the answer for what has no content to look at.
pub(super) fn look(name: &str, stat: &Stat, reads_special: bool) -> Option<Answer> {
    let prefix = mode_prefix(stat.mode);
    Some(match stat.kind {
        Kind::Directory => Answer::binary(format!("{prefix}directory"), "inode/directory"),
        Kind::Symlink => return Some(link(name)),
        Kind::Fifo => Answer::binary(format!("{prefix}fifo (named pipe)"), "inode/fifo"),
        Kind::Socket => Answer::binary(format!("{prefix}socket"), "inode/socket"),
        Kind::CharacterDevice if !reads_special => {
            let numbers = match name {
                "/dev/null" => " (1/3)",
                "/dev/zero" => " (1/5)",
                "/dev/full" => " (1/7)",
                "/dev/random" => " (1/8)",
                "/dev/urandom" => " (1/9)",
                "/dev/tty" => " (5/0)",
                _ => "",
            };
            Answer::binary(
                format!("{prefix}character special{numbers}"),
                "inode/chardevice",
            )
        }
        Kind::BlockDevice if !reads_special => {
            Answer::binary(format!("{prefix}block special"), "inode/blockdevice")
        }
        _ => return None,
    })
}

fn link(name: &str) -> Answer {
    let target = std::fs::read_link(name).unwrap_or_default();
    let shown = String::from_utf8_lossy(process::path_bytes(&target)).into_owned();
    if process::stat(name, true).is_err() {
        let mut answer =
            Answer::binary(format!("broken symbolic link to {shown}"), "inode/symlink");
        answer.charset = "";
        return answer;
    }
    Answer::binary(format!("symbolic link to {shown}"), "inode/symlink")
}

/// Returns the words for the set-id and sticky bits.
pub(super) fn mode_prefix(mode: u32) -> String {
    [
        (0o4000, "setuid "),
        (0o2000, "setgid "),
        (0o1000, "sticky, "),
    ]
    .iter()
    .filter(|(bit, _)| mode & bit != 0)
    .map(|(_, words)| *words)
    .collect()
}

/// Returns the answer for a file that may not be read.
pub(super) fn unreadable(mode: u32) -> Answer {
    let mut text = String::new();
    if mode & 0o222 != 0 {
        text.push_str("writable, ");
    }
    if mode & 0o111 != 0 {
        text.push_str("executable, ");
    }
    text.push_str("regular file, no read permission");
    Answer::binary(text, "application/octet-stream")
}
