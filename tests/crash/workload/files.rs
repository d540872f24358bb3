//! The files of a session as plain values: what a script must leave, what the store holds, what lies on the disk.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use sinew::content::Blocking;
use sinew::tree::{Folder, Kind, content, entries};

/// Largest file of a workload in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Where background processes write that may be lost with their daemon: compared by other rules.
pub const LATE: &str = "/workspace/late.txt";

/// What a path stands for.
#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    Folder,
    File(std::sync::Arc<Vec<u8>>),
    Link(String),
}

/// Everything below the folders that a session keeps, by path in the guest.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, Node>);

impl Files {
    /// Makes a folder with those that lead to it.
    pub fn make_folder(&mut self, path: &str) {
        let below = path.match_indices('/').map(|(at, _)| &path[..at]);
        for folder in below.chain([path]) {
            if !is_kept_folder(folder) {
                self.0.entry(folder.to_owned()).or_insert(Node::Folder);
            }
        }
    }

    /// Writes a file, and makes the folders that lead to it.
    pub fn write(&mut self, path: &str, bytes: Vec<u8>) {
        let (folder, _) = path.rsplit_once('/').unwrap();
        self.make_folder(folder);
        self.0.insert(path.to_owned(), Node::File(bytes.into()));
    }

    /// Adds to a file, which is made if it is missing.
    pub fn append(&mut self, path: &str, text: &str) {
        let mut bytes = self.bytes(path).unwrap_or_default().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        self.write(path, bytes);
    }

    /// Replaces the only place of `old` in a file.
    pub fn edit(&mut self, path: &str, old: &str, new: &str) {
        let text = String::from_utf8(self.bytes(path).unwrap().to_vec()).unwrap();
        assert_eq!(text.matches(old).count(), 1);
        self.write(path, text.replace(old, new).into());
    }

    /// Makes a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.0
            .insert(path.to_owned(), Node::Link(target.to_owned()));
    }

    /// Moves a file or folder.
    pub fn rename(&mut self, from: &str, to: &str) {
        for (path, node) in self.take(from) {
            self.0.insert(format!("{to}{}", &path[from.len()..]), node);
        }
    }

    /// Removes a file or folder.
    pub fn remove(&mut self, path: &str) {
        self.take(path);
    }

    fn take(&mut self, path: &str) -> Vec<(String, Node)> {
        let below = format!("{path}/");
        let all = std::mem::take(&mut self.0).into_iter();
        let (taken, left) = all.partition(|(name, _)| name == path || name.starts_with(&below));
        self.0 = BTreeMap::from_iter::<Vec<_>>(left);
        taken
    }

    /// Returns a file's content.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        match self.0.get(path)? {
            Node::File(bytes) => Some(bytes),
            Node::Folder | Node::Link(_) => None,
        }
    }

    /// Returns the sum that a guest makes of all files below its workspace, see `Op::sum`.
    pub fn sum(&self) -> String {
        let mut listing = String::new();
        for (path, node) in &self.0 {
            let (Some(name), Node::File(bytes)) = (path.strip_prefix("/workspace/"), node) else {
                continue;
            };
            listing.push_str(&format!("{}  ./{name}\n", sha256(bytes)));
        }
        sha256(listing.as_bytes())
    }

    /// Refuses files that are others than `expected`; what comes late is left to `check_late`.
    pub fn check(&self, expected: &Self) -> Result<()> {
        let mut problems = Vec::new();
        let paths: std::collections::BTreeSet<&String> =
            self.0.keys().chain(expected.0.keys()).collect();
        for path in paths.into_iter().filter(|path| *path != LATE) {
            let (here, there) = (self.0.get(path), expected.0.get(path));
            if here != there {
                problems.push(format!("{path} is {}, not {}", show(here), show(there)));
            }
        }
        ensure!(
            problems.is_empty(),
            "wrong files:\n  {}",
            problems.join("\n  ")
        );
        self.check_late()
    }

    /// What a background process writes may be lost with its daemon, but never comes twice.
    fn check_late(&self) -> Result<()> {
        let text = String::from_utf8_lossy(self.bytes(LATE).unwrap_or_default());
        let mut seen = std::collections::BTreeSet::new();
        for line in text.lines() {
            ensure!(seen.insert(line), "{LATE} has {line} twice: {text}");
        }
        Ok(())
    }

    /// Reads a folder of this host as what the guest has at `guest`.
    pub fn add_disk(&mut self, folder: &Path, guest: &str) -> Result<()> {
        for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let path = format!(
                "{guest}/{}",
                entry.file_name().to_str().context("no UTF-8")?
            );
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.0.insert(path.clone(), Node::Folder);
                self.add_disk(&entry.path(), &path)?;
            } else if kind.is_symlink() {
                let target = std::fs::read_link(entry.path())?;
                let target = String::from_utf8(target.as_os_str().as_bytes().to_vec())?;
                self.0.insert(path, Node::Link(target));
            } else {
                let bytes = std::fs::read(entry.path())?;
                self.0.insert(path, Node::File(bytes.into()));
            }
        }
        Ok(())
    }

    /// Reads a folder of a tree as what the guest has at `guest`. Blocks.
    pub fn add_tree(&mut self, reader: &Blocking, folder: &Folder, guest: &str) -> Result<()> {
        for entry in entries(reader, folder)? {
            let path = format!("{guest}/{}", String::from_utf8(entry.name.clone())?);
            let node = match &entry.kind {
                Kind::Folder(folder) => {
                    self.add_tree(reader, folder, &path)?;
                    Node::Folder
                }
                Kind::Link(target) => Node::Link(String::from_utf8(target.clone())?),
                Kind::File { bytes, .. } if *bytes == 0 => Node::File(Vec::new().into()),
                Kind::File { .. } => {
                    let bytes = content(reader, &entry, FILE_BYTES_MAX)?;
                    Node::File(bytes.context("a file is too large")?.to_vec().into())
                }
                Kind::Fifo => anyhow::bail!("{path} is a pipe"),
            };
            self.0.insert(path, node);
        }
        Ok(())
    }
}

fn is_kept_folder(path: &str) -> bool {
    matches!(
        path,
        "" | "/workspace" | "/tmp" | "/mnt" | "/mnt/session" | "/mnt/session/outputs"
    )
}

fn show(node: Option<&Node>) -> String {
    const SHOWN_MAX: usize = 120;
    match node {
        None => "nothing".to_owned(),
        Some(Node::Folder) => "a folder".to_owned(),
        Some(Node::Link(target)) => format!("a link to {target}"),
        Some(Node::File(bytes)) if bytes.len() > SHOWN_MAX => {
            format!("a file of {} bytes, {}", bytes.len(), sha256(bytes))
        }
        Some(Node::File(bytes)) => format!("{:?}", String::from_utf8_lossy(bytes)),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
