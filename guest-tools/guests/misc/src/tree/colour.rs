//! Colours of names, those that tree has without `LS_COLORS`.

use process::Kind;

use super::node::Node;

/// Returns the code of a colour for a node.
pub(super) fn of(node: &Node) -> &'static str {
    let Some(stat) = node.stat else {
        return if node.is_folder { "01;34" } else { "00" };
    };
    if stat.kind == Kind::Symlink && node.target_stat.is_none() {
        return "40;31;01";
    }
    of_kind(stat.kind, stat.mode)
}

/// Returns that for what a link leads to.
pub(super) fn of_target(node: &Node) -> &'static str {
    node.target_stat
        .map_or("00", |stat| of_kind(stat.kind, stat.mode))
}

fn of_kind(kind: Kind, mode: u32) -> &'static str {
    match kind {
        Kind::Directory => match mode & 0o1002 {
            0o1002 => "30;42",
            0o0002 => "34;42",
            0o1000 => "37;44",
            _ => "01;34",
        },
        Kind::Symlink => "01;36",
        Kind::Fifo => "40;33",
        Kind::Socket => "01;35",
        Kind::BlockDevice | Kind::CharacterDevice => "40;33;01",
        _ if mode & 0o4000 != 0 => "37;41",
        _ if mode & 0o2000 != 0 => "30;43",
        _ if mode & 0o111 != 0 => "01;32",
        _ => "00",
    }
}
