//! A file that the walk met: its path, what its folder says of it, and its status once something asked.

use std::cell::OnceCell;
use std::path::Path;

use process::{Errno, Kind, Listed, Stat, argument_bytes};

/// A file.
#[derive(Debug)]
pub struct Entry {
    /// The path as it is shown.
    pub path: String,
    /// Where its name begins.
    pub name_begin: usize,
    /// Where what is below the root begins.
    pub root_length: usize,
    /// How far below the root.
    pub depth: usize,
    /// What the folder says it is.
    pub listed: Option<Kind>,
    /// Whether links are followed for it.
    pub is_followed: bool,
    stat: OnceCell<Result<Stat, Errno>>,
}

impl Entry {
    /// Returns the entry of a root.
    pub fn root(path: &str, is_followed: bool) -> Self {
        let trimmed = path.trim_end_matches('/');
        let name_begin = trimmed.rfind('/').map_or(0, |slash| slash + 1);
        Self {
            path: path.to_owned(),
            name_begin,
            root_length: path.len(),
            depth: 0,
            listed: None,
            is_followed,
            stat: OnceCell::new(),
        }
    }

    /// Returns the entry of a name in a folder; none if the name is no text.
    pub fn child(folder: &Self, listed: &Listed, is_followed: bool) -> Option<Self> {
        let name = listed.name.to_str()?;
        let mut path = String::with_capacity(folder.path.len() + name.len() + 1);
        path.push_str(&folder.path);
        if !path.ends_with('/') {
            path.push('/');
        }
        let name_begin = path.len();
        path.push_str(name);
        Some(Self {
            path,
            name_begin,
            root_length: folder.root_length,
            depth: folder.depth + 1,
            listed: Some(listed.kind),
            is_followed,
            stat: listed.stat.map_or_else(OnceCell::new, OnceCell::from),
        })
    }

    /// Returns its name: the last part of the path, `/` for the root.
    pub fn name(&self) -> &str {
        let name = self.path.get(self.name_begin..).unwrap_or_default();
        let trimmed = name.trim_end_matches('/');
        if trimmed.is_empty() && self.path.starts_with('/') {
            "/"
        } else {
            trimmed
        }
    }

    /// Returns its path below the root.
    pub fn below_root(&self) -> &str {
        if self.depth == 0 {
            return "";
        }
        let below = self.path.get(self.root_length..).unwrap_or_default();
        below.strip_prefix('/').unwrap_or(below)
    }

    /// Returns its status, of what a link leads to if links are followed; of the link if it leads nowhere.
    pub fn stat(&self) -> Result<Stat, Errno> {
        *self.stat.get_or_init(|| {
            let path = argument_bytes(&self.path);
            if self.is_followed {
                match process::stat(&path, true) {
                    Err(Errno::NoEntry | Errno::Loop) => process::stat(&path, false),
                    result => result,
                }
            } else {
                process::stat(&path, false)
            }
        })
    }

    /// Returns what it is, without its status if the folder said it.
    pub fn kind(&self) -> Result<Kind, Errno> {
        match self.listed {
            Some(Kind::Symlink) if self.is_followed => {}
            Some(Kind::Unknown) | None => {}
            Some(kind) => return Ok(kind),
        }
        self.stat().map(|stat| stat.kind)
    }

    /// Returns where it leads, if it is a link.
    pub fn link(&self) -> Option<String> {
        let goal = std::fs::read_link(Path::new(&self.path)).ok()?;
        Some(goal.to_string_lossy().into_owned())
    }
}
