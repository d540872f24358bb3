//! Files and folders: what of them is shown, and in which order.

use std::cmp::Ordering;

use process::{Kind, Stat};

use super::options::{Settings, Sort};
use super::pattern::{self, Ignore};

/// A file or folder.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) path: String,
    /// What it is itself; none for paths that were only told of.
    pub(super) stat: Option<Stat>,
    /// What it leads to, if it is a link.
    pub(super) target: Option<String>,
    pub(super) target_stat: Option<Stat>,
    /// A folder, or a link to one.
    pub(super) is_folder: bool,
    /// Its size, with all that is in it if that was asked for.
    pub(super) bytes: u64,
    /// What is in it, if that was read already.
    pub(super) children: Option<Vec<Node>>,
    /// Why its content is not shown.
    pub(super) error: Option<String>,
    /// It could not be found, as opposed to: is no folder.
    pub(super) is_missing: bool,
}

impl Node {
    pub(super) fn kind(&self) -> Kind {
        self.stat.map_or(
            if self.is_folder {
                Kind::Directory
            } else {
                Kind::Regular
            },
            |stat| stat.kind,
        )
    }

    /// Returns a node of which only name and kind are known.
    pub(super) fn told(name: &str, path: &str, is_folder: bool) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            stat: None,
            target: None,
            target_stat: None,
            is_folder,
            bytes: 0,
            children: is_folder.then(Vec::new),
            error: None,
            is_missing: false,
        }
    }

    fn look(name: String, path: String) -> Self {
        let stat = process::stat(&path, false).ok();
        let is_link = stat.is_some_and(|stat| stat.kind == Kind::Symlink);
        let target_stat = if is_link {
            process::stat(&path, true).ok()
        } else {
            None
        };
        let target = is_link.then(|| {
            let target = std::fs::read_link(&path).unwrap_or_default();
            String::from_utf8_lossy(process::path_bytes(&target)).into_owned()
        });
        let is_folder = target_stat
            .or(stat)
            .is_some_and(|stat| stat.kind == Kind::Directory);
        Self {
            name,
            path,
            stat,
            target,
            target_stat,
            is_folder,
            bytes: stat.map_or(0, |stat| stat.size),
            children: None,
            error: None,
            is_missing: false,
        }
    }
}

/// Reads folders as the settings say.
pub(super) struct Walk<'a> {
    settings: &'a Settings,
    global: Vec<Ignore>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        let global = settings
            .gitignore_files
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .map(|text| Ignore::read("", &text))
            .collect();
        Self { settings, global }
    }

    /// Returns the node of a folder that was named.
    pub(super) fn root(&self, name: &str) -> Node {
        let path = match name.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let mut node = Node::look(name.to_owned(), path.to_owned());
        let real = node.target_stat.or(node.stat);
        node.is_missing = real.is_none();
        if !node.is_folder {
            node.error = Some("error opening dir".to_owned());
            return node;
        }
        let mut trail = vec![Trail::new(&node)];
        self.open(&mut node, 0, &mut trail);
        node
    }

    /// Reads what is in a folder, and below if that is needed before it is shown.
    pub(super) fn open(&self, node: &mut Node, level: usize, trail: &mut Vec<Trail>) {
        if node.children.is_some() || node.error.is_some() {
            return;
        }
        if self.settings.level_max.is_some_and(|most| level >= most) {
            return;
        }
        if let Some(trail) = trail.last_mut() {
            trail.ignore = self.ignore_file(&node.path);
        }
        let mut children = match self.read(node, trail) {
            Ok(children) => children,
            Err(()) => {
                node.error = Some("error opening dir".to_owned());
                return;
            }
        };
        if let Some(most) = self.settings.file_limit
            && children.len() > most
        {
            node.error = Some(format!(
                "{} entries exceeds filelimit, not opening dir",
                children.len()
            ));
            return;
        }
        if self.settings.reads_ahead() {
            for child in &mut children {
                self.descend(child, level + 1, trail);
                node.bytes += if self.settings.sums { child.bytes } else { 0 };
            }
            if self.settings.prunes {
                children.retain(|child| {
                    !child.is_folder || child.children.as_ref().is_some_and(|list| !list.is_empty())
                });
            }
        }
        self.sort(&mut children);
        node.children = Some(children);
    }

    /// Opens a node if it is a folder that is to be shown with what is in it.
    pub(super) fn descend(&self, node: &mut Node, level: usize, trail: &mut Vec<Trail>) {
        let is_link = node.kind() == Kind::Symlink;
        if !node.is_folder || is_link && !self.settings.follows {
            return;
        }
        let step = Trail::new(node);
        if is_link && trail.iter().any(|above| above.place == step.place) {
            node.error = Some("recursive, not followed".to_owned());
            return;
        }
        trail.push(step);
        self.open(node, level, trail);
        trail.pop();
    }

    fn ignore_file(&self, folder: &str) -> Option<Ignore> {
        if !self.settings.reads_gitignore {
            return None;
        }
        let text = std::fs::read_to_string(format!("{folder}/.gitignore")).ok()?;
        Some(Ignore::read(folder, &text))
    }

    fn read(&self, folder: &Node, trail: &[Trail]) -> Result<Vec<Node>, ()> {
        let entries = std::fs::read_dir(&folder.path).map_err(|_| ())?;
        let mut children = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|_| ())?;
            let name = String::from_utf8_lossy(entry.file_name().as_encoded_bytes()).into_owned();
            if name.starts_with('.') && !self.settings.shows_hidden {
                continue;
            }
            let path = if folder.path.ends_with('/') {
                format!("{}{name}", folder.path)
            } else {
                format!("{}/{name}", folder.path)
            };
            let node = Node::look(name, path);
            if self.is_shown(&node, folder, trail) {
                children.push(node);
            }
        }
        Ok(children)
    }

    /// Returns whether a node passes the filters.
    pub(super) fn is_shown(&self, node: &Node, folder: &Node, trail: &[Trail]) -> bool {
        let settings = self.settings;
        let fits = |patterns: &[String], name: &str| {
            patterns
                .iter()
                .any(|pattern| pattern::fits(pattern, name, node.is_folder, settings.ignores_case))
        };
        if fits(&settings.ignored, &node.name) {
            return false;
        }
        if settings.only_folders && !node.is_folder {
            return false;
        }
        let verdict = trail
            .iter()
            .rev()
            .filter_map(|above| above.ignore.as_ref())
            .chain(&self.global)
            .find_map(|ignore| ignore.verdict(&node.path, node.is_folder));
        if verdict == Some(true) {
            return false;
        }
        // Folders are shown for what may be in them.
        let is_open = node.kind() == Kind::Directory || settings.follows && node.is_folder;
        settings.patterns.is_empty()
            || is_open
            || fits(&settings.patterns, &node.name)
            || settings.matches_folders && fits(&settings.patterns, &folder.name)
    }

    pub(super) fn sort(&self, nodes: &mut [Node]) {
        let settings = self.settings;
        if settings.sort == Sort::None {
            return;
        }
        let time = |node: &Node| {
            node.stat.map(|stat| match settings.sort {
                Sort::Changed => stat.changed.seconds,
                _ => stat.modified.seconds,
            })
        };
        nodes.sort_by(|one, other| {
            let name = || one.name.as_bytes().cmp(other.name.as_bytes());
            let order = match settings.sort {
                Sort::Version => version(&one.name, &other.name).then_with(name),
                Sort::Size => other.bytes.cmp(&one.bytes).then_with(name),
                Sort::Modified | Sort::Changed => time(one).cmp(&time(other)).then_with(name),
                _ => name(),
            };
            let order = if settings.is_reversed {
                order.reverse()
            } else {
                order
            };
            let group = if settings.folders_first {
                other.is_folder.cmp(&one.is_folder)
            } else if settings.files_first {
                one.is_folder.cmp(&other.is_folder)
            } else {
                Ordering::Equal
            };
            group.then(order)
        });
    }
}

/// The folders from the root to where the walk is.
pub(super) struct Trail {
    place: Option<(u64, u64)>,
    ignore: Option<Ignore>,
}

impl Trail {
    pub(super) fn new(node: &Node) -> Self {
        let stat = node.target_stat.or(node.stat);
        Self {
            place: stat.map(|stat| (stat.device, stat.inode)),
            ignore: None,
        }
    }

    /// Returns the step of a folder that was read, with its rules.
    pub(super) fn of_folder(walk: &Walk<'_>, node: &Node) -> Self {
        Self {
            ignore: walk.ignore_file(&node.path),
            ..Self::new(node)
        }
    }
}

/// Compares names with the numbers in them by value.
fn version(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        match (one.split_first(), other.split_first()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some((left, one_rest)), Some((right, other_rest))) => {
                if left.is_ascii_digit() && right.is_ascii_digit() {
                    let (left, one_behind) = digits(one);
                    let (right, other_behind) = digits(other);
                    let order = left.len().cmp(&right.len()).then(left.cmp(right));
                    if order.is_ne() {
                        return order;
                    }
                    (one, other) = (one_behind, other_behind);
                } else if left == right {
                    (one, other) = (one_rest, other_rest);
                } else {
                    return left.cmp(right);
                }
            }
        }
    }
}

/// Splits digits off, without zeros before them.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (digits.get(zeros..).unwrap_or(&[]), rest)
}

impl Walk<'_> {
    pub(super) fn shows_hidden(&self) -> bool {
        self.settings.shows_hidden
    }
}
