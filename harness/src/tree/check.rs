//! Trees that somebody else made: nothing of one is used before all of it was looked at.
//!
//! Our own snapshots need none of this. A tree that came from elsewhere may say anything: names that lead out of a
//! folder, folders without end, objects that were never brought and belong to somebody else's session. What is
//! found good here cannot surprise whoever restores it.
//! Not here: whether a large file's pieces have the hash that its entry names; the file is what its pieces are.

use std::collections::{BTreeMap, HashMap};

use super::TreeError;
use super::file::{Piece, Pieces};
use super::folder::{LEVELS_MAX as PARTS_MAX, nibble_of};
use super::node::{Branch, Entry, Folder, Kind, Node, decode};
use super::root::digest;
use super::snapshot::LEVELS_MAX;
use crate::content::Blocking;
use crate::store::{Files, Hash};

/// Largest list of names: more than a full one with the longest names and links.
const NODE_BYTES_MAX: u32 = 1 << 20;
/// Longest name in a folder, and longest text of a link.
const NAME_BYTES_MAX: usize = 255;
const LINK_BYTES_MAX: usize = 4_095;
/// Largest file with its holes: what file systems can have.
const FILE_BYTES_MAX: u64 = 1 << 44;
/// Folders of one root.
const FOLDERS_MAX: usize = 16;

/// Why a tree is not used.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not what a snapshot makes.
    #[error("{0}")]
    Bad(String),
    /// It could not be read.
    #[error(transparent)]
    Failed(#[from] TreeError),
}

fn bad<T>(text: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Bad(text.into()))
}

/// Looks at trees that have much in common; what was found good once is not looked at again.
pub struct Checker {
    /// What one root may have.
    names_max: u64,
    bytes_max: u64,
    /// Lists of names, each with the place in its folder that its names belong to: what they say, and the most
    /// levels that were above one.
    lists: HashMap<(Hash, Vec<u8>), (Folder, usize)>,
    /// Lists of pieces: the length, and how much of it is holes.
    pieces: HashMap<Hash, (u64, u64)>,
}

/// A list of names that is to be looked at.
struct Due {
    folder: Folder,
    /// The parts of a large folder that lead here.
    place: Vec<u8>,
    /// Folders above.
    level: usize,
}

impl Checker {
    /// Returns a checker for roots of at most so many names and bytes.
    pub fn new(names_max: u64, bytes_max: u64) -> Self {
        Self {
            names_max,
            bytes_max,
            lists: HashMap::new(),
            pieces: HashMap::new(),
        }
    }

    /// Looks at a root, of which the folder at `foreign` has no part in the digest. `brought` are the lengths of
    /// the objects that may be used.
    pub fn check(
        &mut self,
        reader: &Blocking,
        brought: &HashMap<Hash, u32>,
        files: &Files,
        foreign: &str,
    ) -> Result<(), Fault> {
        let Node::Leaf(entries) = list(reader, brought, files.root)? else {
            return bad("the root is no list of folders");
        };
        if entries.len() > FOLDERS_MAX {
            return bad("the root has too many folders");
        }
        let mut folders = BTreeMap::new();
        for entry in entries {
            let (Ok(path), Kind::Folder(folder)) = (String::from_utf8(entry.name), entry.kind)
            else {
                return bad("the root lists something that is no folder");
            };
            if !path.starts_with('/') || path.contains('\0') || path.len() > LINK_BYTES_MAX {
                return bad(format!("{path:?} is no path of a folder"));
            }
            folders.insert(path, folder);
        }
        let sum = |of: fn(&Folder) -> u64| {
            let parts = folders.values().map(of);
            parts.fold(0, u64::saturating_add)
        };
        let (names, bytes) = (sum(|folder| folder.names), sum(|folder| folder.bytes));
        if names > self.names_max || bytes > self.bytes_max {
            return bad(format!(
                "{names} names with {bytes} bytes are more than a session may have here ({} and {})",
                self.names_max, self.bytes_max
            ));
        }
        if digest(&folders, foreign) != files.digest {
            return bad("the digest is another one");
        }
        if let Some(shell) = files.shell
            && !brought.contains_key(&shell)
        {
            return bad(format!("the shell's object {shell} is missing"));
        }
        for (path, folder) in folders {
            let below = self.folder(reader, brought, folder);
            below.map_err(|fault| match fault {
                Fault::Bad(text) => Fault::Bad(format!("below {path}: {text}")),
                failed => failed,
            })?;
        }
        Ok(())
    }

    fn folder(
        &mut self,
        reader: &Blocking,
        brought: &HashMap<Hash, u32>,
        folder: Folder,
    ) -> Result<(), Fault> {
        let mut due = vec![Due {
            folder,
            place: Vec::new(),
            level: 0,
        }];
        while let Some(next) = due.pop() {
            if next.level > LEVELS_MAX {
                return bad(format!(
                    "folders are nested deeper than {LEVELS_MAX} levels"
                ));
            }
            let key = (next.folder.node, next.place.clone());
            if let Some((known, level)) = self.lists.get(&key) {
                if *known != next.folder {
                    return bad(format!("list {} is said to be two things", key.0));
                }
                if next.level <= *level {
                    continue;
                }
            }
            let node = list(reader, brought, next.folder.node)?;
            let totals = (next.folder.names, next.folder.bytes);
            if node.totals() != totals || node.digest() != next.folder.digest {
                return bad(format!("list {} is not what its folder says", key.0));
            }
            match node {
                Node::Fan(branches) => add_parts(&mut due, &next, branches)?,
                Node::Leaf(entries) => {
                    let mut before: Option<Vec<u8>> = None;
                    for entry in entries {
                        check_name(&entry, before.as_deref(), &next.place)?;
                        self.entry(reader, brought, &entry, &mut due, next.level)?;
                        before = Some(entry.name);
                    }
                }
            }
            self.lists.insert(key, (next.folder, next.level));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        reader: &Blocking,
        brought: &HashMap<Hash, u32>,
        entry: &Entry,
        due: &mut Vec<Due>,
        level: usize,
    ) -> Result<(), Fault> {
        let name = || String::from_utf8_lossy(&entry.name).into_owned();
        match &entry.kind {
            Kind::Folder(folder) => {
                due.push(Due {
                    folder: *folder,
                    place: Vec::new(),
                    level: level + 1,
                });
                Ok(())
            }
            Kind::Link(target) => match target.len() {
                1..=LINK_BYTES_MAX if !target.contains(&0) => Ok(()),
                _ => bad(format!("{:?} is no link", name())),
            },
            Kind::Fifo => Ok(()),
            Kind::File {
                bytes,
                content,
                pieces,
                holes,
                ..
            } => {
                let found = match pieces {
                    None => (length(brought, *content)?.into(), 0),
                    Some(list) => self.pieces(reader, brought, *list)?,
                };
                let is_listed = *holes == 0 || *pieces == Some(*content);
                match found == (*bytes, *holes) && *bytes <= FILE_BYTES_MAX && is_listed {
                    true => Ok(()),
                    false => bad(format!("file {:?} is not what its entry says", name())),
                }
            }
        }
    }

    /// Returns what the pieces of a list have together.
    fn pieces(
        &mut self,
        reader: &Blocking,
        brought: &HashMap<Hash, u32>,
        hash: Hash,
    ) -> Result<(u64, u64), Fault> {
        if let Some(known) = self.pieces.get(&hash) {
            return Ok(*known);
        }
        length(brought, hash)?;
        let stored = reader.get(hash).map_err(TreeError::from)?;
        let Some(Pieces(pieces)) = decode(&stored) else {
            return bad(format!("object {hash} is no list of pieces"));
        };
        let (mut bytes, mut holes) = (0u64, 0u64);
        for piece in pieces {
            match piece {
                Piece::Hole(length) => {
                    bytes = bytes.saturating_add(length);
                    holes = holes.saturating_add(length);
                }
                Piece::Data(object, said) => {
                    if length(brought, object)? != said {
                        return bad(format!(
                            "object {object} is not as long as list {hash} says"
                        ));
                    }
                    bytes = bytes.saturating_add(said.into());
                }
            }
        }
        self.pieces.insert(hash, (bytes, holes));
        Ok((bytes, holes))
    }
}

fn length(brought: &HashMap<Hash, u32>, hash: Hash) -> Result<u32, Fault> {
    match brought.get(&hash) {
        Some(length) => Ok(*length),
        None => bad(format!("object {hash} is missing")),
    }
}

fn list(reader: &Blocking, brought: &HashMap<Hash, u32>, hash: Hash) -> Result<Node, Fault> {
    if length(brought, hash)? > NODE_BYTES_MAX {
        return bad(format!("object {hash} is too large for a list of names"));
    }
    match Node::load(reader, hash) {
        Err(TreeError::Malformed { .. }) => bad(format!("object {hash} is no list of names")),
        node => Ok(node?),
    }
}

fn add_parts(due: &mut Vec<Due>, parent: &Due, branches: Vec<Branch>) -> Result<(), Fault> {
    let is_sorted = branches.is_sorted_by(|a, b| a.nibble < b.nibble);
    let is_in_range = branches.iter().all(|branch| branch.nibble < 16);
    if !is_sorted || !is_in_range || parent.place.len() >= PARTS_MAX {
        return bad(format!("list {} has wrong parts", parent.folder.node));
    }
    due.extend(branches.into_iter().map(|branch| Due {
        folder: branch.part,
        place: [&*parent.place, &[branch.nibble]].concat(),
        level: parent.level,
    }));
    Ok(())
}

/// A name must be one, stand behind the one before it, and belong where it is.
fn check_name(entry: &Entry, before: Option<&[u8]>, place: &[u8]) -> Result<(), Fault> {
    let name = entry.name.as_slice();
    let is_name = !matches!(name, b"" | b"." | b"..")
        && name.len() <= NAME_BYTES_MAX
        && !name.iter().any(|byte| matches!(byte, 0 | b'/'));
    let mut nibbles = place.iter().enumerate();
    let is_here = nibbles.all(|(level, nibble)| nibble_of(name, level) == *nibble);
    let is_behind = before.is_none_or(|before| before < name);
    match is_name && is_here && is_behind && entry.mode <= 0o7777 {
        true => Ok(()),
        false => bad(format!(
            "{:?} cannot be a name there",
            String::from_utf8_lossy(name)
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::content::{Batch, Content, Packs};
    use crate::store::{SharedStore, SqliteOptions, SqliteStore};
    use crate::tree::node::encode;
    use crate::tree::{linked, seal};

    const FOREIGN: &str = "/mnt/memory";

    fn file(batch: &mut Batch, name: &str, content: &'static str) -> Entry {
        let hash = batch.put(Bytes::from_static(content.as_bytes())).unwrap();
        entry(
            name,
            Kind::File {
                bytes: content.len() as u64,
                modified: 0,
                content: hash,
                pieces: None,
                holes: 0,
            },
        )
    }

    fn entry(name: &str, kind: Kind) -> Entry {
        Entry {
            name: name.as_bytes().to_vec(),
            mode: 0o644,
            kind,
        }
    }

    fn folder(batch: &mut Batch, name: &str, entries: Vec<Entry>) -> Entry {
        let folder = Node::Leaf(entries).seal(batch).unwrap();
        entry(name, Kind::Folder(folder))
    }

    /// Makes a tree whose workspace has these entries, changes what is known of it, and looks at it.
    fn check(
        make: impl Fn(&mut Batch) -> Vec<Entry>,
        change: impl Fn(&mut Files, &mut HashMap<Hash, u32>),
    ) -> Result<(), String> {
        let place = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(place.path().join("test.db"));
        let store: SharedStore = Arc::new(SqliteStore::open(options).unwrap());
        let packs = Packs::in_folder(&place.path().join("packs")).unwrap();
        let content = Content::new(store, packs);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _within = runtime.enter();
        let mut batch = content.batch();
        let workspace = Node::Leaf(make(&mut batch)).seal(&mut batch).unwrap();
        let folders = [("/workspace".to_owned(), workspace)].into();
        let (root, digest) = seal(&mut batch, &folders, FOREIGN).unwrap();
        let mut files = Files {
            root,
            digest,
            shell: None,
        };
        let reader = batch.reader().clone();
        let mut brought = HashMap::new();
        let mut due = vec![(root, false)];
        while let Some((list, is_pieces)) = due.pop() {
            if brought.contains_key(&list) {
                continue;
            }
            let stored = reader.get(list).unwrap();
            brought.insert(list, stored.len() as u32);
            let Some(links) = linked(&stored, is_pieces) else {
                continue;
            };
            due.extend(links.lists);
            for hash in links.contents {
                if let Ok(content) = reader.get(hash) {
                    brought.insert(hash, content.len() as u32);
                }
            }
        }
        change(&mut files, &mut brought);
        let mut checker = Checker::new(1_000, 1_000_000);
        let checked = checker.check(&reader, &brought, &files, FOREIGN);
        checked.map_err(|fault| fault.to_string())
    }

    #[test]
    fn good_trees_pass_and_wrong_ones_are_told() {
        let nothing = |_: &mut Files, _: &mut HashMap<Hash, u32>| {};
        let good = |batch: &mut Batch| {
            let inner = file(batch, "inner", "inner");
            let inner = vec![inner, entry("link", Kind::Link(b"../x".to_vec()))];
            let inner = folder(batch, "d", inner);
            vec![
                file(batch, "a", "content"),
                inner,
                entry("pipe", Kind::Fifo),
            ]
        };
        assert_eq!(check(good, nothing), Ok(()));
        let refused = |what: &str, checked: Result<(), String>| {
            let error = checked.expect_err(what);
            assert!(error.contains(what), "{what}: {error}");
        };
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "../../etc/passwd",
            "a\0b",
            &"x".repeat(256),
        ] {
            let make = |batch: &mut Batch| vec![file(batch, name, "x")];
            refused("cannot be a name", check(make, nothing));
        }
        let unsorted = |batch: &mut Batch| vec![file(batch, "b", "x"), file(batch, "a", "x")];
        refused("cannot be a name", check(unsorted, nothing));
        let twice = |batch: &mut Batch| vec![file(batch, "a", "x"), file(batch, "a", "y")];
        refused("cannot be a name", check(twice, nothing));
        let mode = |batch: &mut Batch| {
            let mut file = file(batch, "a", "x");
            file.mode = 0o177_777;
            vec![file]
        };
        refused("cannot be a name", check(mode, nothing));
        let long = |_: &mut Batch| vec![entry("l", Kind::Link(vec![b'x'; 5_000]))];
        refused("no link", check(long, nothing));

        // What another session has is not there just because the store has it.
        let stolen = Hash::of(b"content");
        refused(
            "is missing",
            check(good, |_, brought| {
                brought.remove(&stolen);
            }),
        );
        refused(
            "not what its entry says",
            check(good, |_, brought| {
                brought.insert(stolen, 9);
            }),
        );
        refused("digest", check(good, |files, _| files.digest = stolen));
        refused(
            "is missing",
            check(good, |files, _| files.root = Hash::of(b"none")),
        );
        refused(
            "no list of names",
            check(good, |files, brought| {
                brought.insert(files.root, 3);
                files.root = stolen;
            }),
        );
        refused(
            "shell",
            check(good, |files, _| files.shell = Some(Hash::of(b"none"))),
        );
    }

    #[test]
    fn trees_cannot_claim_more_than_they_have_or_than_there_may_be() {
        let nothing = |_: &mut Files, _: &mut HashMap<Hash, u32>| {};
        let refused = |what: &str, make: &dyn Fn(&mut Batch) -> Vec<Entry>| {
            let error = check(make, nothing).expect_err(what);
            assert!(error.contains(what), "{what}: {error}");
        };
        refused("not what its folder says", &|batch| {
            let mut inner = folder(batch, "d", Vec::new());
            if let Kind::Folder(folder) = &mut inner.kind {
                folder.bytes = 7;
            }
            vec![inner]
        });
        // A few lists that name each other 60 times each.
        refused("more than a session may have", &|batch| {
            let mut inner = file(batch, "f", "x");
            for level in 0..8 {
                let entries = (10..70).map(|n| Entry {
                    name: format!("{level}{n}").into_bytes(),
                    ..inner.clone()
                });
                inner = folder(batch, "d", entries.collect());
            }
            vec![inner]
        });
        refused("deeper than", &|batch| {
            let mut inner = file(batch, "f", "x");
            for _ in 0..LEVELS_MAX + 2 {
                inner = folder(batch, "d", vec![inner]);
            }
            vec![inner]
        });
        // Lists of pieces.
        let pieces = |pieces: Vec<Piece>, bytes: u64, holes: u64| {
            move |batch: &mut Batch| {
                batch.put(Bytes::from_static(b"content")).unwrap();
                let list = batch.put(encode(&Pieces(pieces.clone()))).unwrap();
                vec![entry(
                    "f",
                    Kind::File {
                        bytes,
                        modified: 0,
                        content: list,
                        pieces: Some(list),
                        holes,
                    },
                )]
            }
        };
        let data = Piece::Data(Hash::of(b"content"), 7);
        assert_eq!(
            check(pieces(vec![data, Piece::Hole(9)], 16, 9), nothing),
            Ok(())
        );
        refused("not what its entry says", &pieces(vec![data], 8, 0));
        refused(
            "not what its entry says",
            &pieces(vec![data, Piece::Hole(9)], 16, 0),
        );
        refused(
            "not as long",
            &pieces(vec![Piece::Data(Hash::of(b"content"), 8)], 8, 0),
        );
        let sky = u64::MAX - 1;
        refused(
            "not what its entry says",
            &pieces(vec![Piece::Hole(sky)], sky, sky),
        );
        refused(
            "is missing",
            &pieces(vec![Piece::Data(Hash::of(b"none"), 4)], 4, 0),
        );
    }
}
