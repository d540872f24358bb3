//! Checking that everything is there: each object is read, and each root of each log is followed to its end.
//!
//! Nothing is changed. Nobody may write meanwhile, so whoever verifies holds the data folder.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::mark::{Marks, Visitor};
use super::{CollectError, tidy};
use crate::content::{Content, ContentError};
use crate::ids::SessionId;
use crate::store::{Hash, Listed, ROWS_MAX, Rooted};

/// Problems that are named; a store that has lost a folder of packs has millions.
const PROBLEMS_MAX: usize = 10_000;
/// Objects that are read together, and their bytes as stored.
const OBJECTS_AT_ONCE: usize = 256;
const BYTES_AT_ONCE: u64 = 16 << 20;

/// An object that is not there as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What is wrong, with the object's name.
    pub reason: String,
    /// Who needs it first; none if nothing needs it.
    pub needed_by: Option<Need>,
}

/// Who needs an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// The session; none if it was deleted while others share its history.
    pub session_id: Option<SessionId>,
    /// The number of the event whose files have the object.
    pub event: u64,
}

/// What a verification found.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// Sessions with files.
    pub sessions: usize,
    /// Roots of all logs.
    pub roots: usize,
    /// Stored objects, and their bytes as stored.
    pub objects: usize,
    /// Bytes of all objects as stored.
    pub bytes: u64,
    /// Bytes of those of them that are rows of the database.
    pub row_bytes: u64,
    /// Objects that no root leads to; the next collection removes them.
    pub orphans: usize,
    /// Their bytes.
    pub orphan_bytes: u64,
    /// Packs that the store knows.
    pub packs: usize,
    /// Bytes of the files of packs.
    pub pack_bytes: u64,
    /// Files of packs that the store does not know.
    pub strays: usize,
    /// What is wrong, by object; at most ten thousand.
    pub problems: BTreeMap<Hash, Problem>,
    /// Problems that are not among them.
    pub problems_more: usize,
}

/// How far a verification is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Roots that were followed.
    Roots(usize),
    /// Objects that were read.
    Objects(usize),
}

/// Verifies a whole store with its packs.
pub async fn verify(
    content: &Content,
    mut progress: impl FnMut(Step) + Send,
) -> Result<Report, CollectError> {
    let mut report = Report::default();
    let files = content.packs().list().await.map_err(ContentError::from)?;
    let known = tidy::known_packs(content).await?;
    report.packs = known.len();
    report.pack_bytes = files.iter().map(|file| file.bytes).sum();
    report.strays = files
        .iter()
        .filter(|file| !known.contains(&file.name))
        .count();

    let mut marks = Marks::new(content.clone());
    let mut lists = Finder::default();
    (report.sessions, report.roots) =
        follow_all(content, &mut marks, &mut lists, &mut progress).await?;
    for (hash, problem) in lists.found {
        report.add(hash, problem);
    }
    let unread = read_all(content, &mut marks, &mut report, &mut progress).await?;
    // What is left was met and is not stored. Neither is known by its whole name, nor who needs it.
    let mut contents = Finder {
        missing: marks.into_contents(),
        unread,
        ..Finder::default()
    };
    if !contents.missing.is_empty() || !contents.unread.is_empty() {
        let mut marks = Marks::new(content.clone());
        follow_all(content, &mut marks, &mut contents, &mut progress).await?;
    }
    for (hash, problem) in contents.found {
        report.add(hash, problem);
    }
    for (hash, reason) in contents.unread {
        let needed_by = None;
        report.add(hash, Problem { reason, needed_by });
    }
    Ok(report)
}

/// Follows all roots, each by itself, so that what several need is told of the first; returns the number of
/// sessions and of roots.
async fn follow_all(
    content: &Content,
    marks: &mut Marks,
    finder: &mut Finder,
    progress: &mut (impl FnMut(Step) + Send),
) -> Result<(usize, usize), CollectError> {
    let mut sessions = BTreeSet::new();
    let (mut after, mut followed) = (0, 0);
    loop {
        let roots = content.index().roots(after, ROWS_MAX).await?;
        let Some(last) = roots.last() else {
            return Ok((sessions.len(), followed));
        };
        after = last.position;
        for root in &roots {
            marks.follow(std::slice::from_ref(root), finder).await?;
        }
        followed += roots.len();
        sessions.extend(roots.into_iter().filter_map(|root| root.session_id));
        progress(Step::Roots(followed));
    }
}

/// Reads all objects, takes each from what was marked, and returns those that cannot be read, with the reason.
async fn read_all(
    content: &Content,
    marks: &mut Marks,
    report: &mut Report,
    progress: &mut (impl FnMut(Step) + Send),
) -> Result<BTreeMap<Hash, String>, CollectError> {
    let mut unread = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = content.index().objects(after, ROWS_MAX).await?;
        let Some(last) = page.last() else {
            return Ok(unread);
        };
        after = last.position;
        for some in portions(&page) {
            let hashes: Vec<Hash> = some.iter().map(|listed| listed.hash).collect();
            let found = content.examine(&hashes).await?;
            for (hash, found) in found {
                let Err(error) = found else { continue };
                match unread.len() < PROBLEMS_MAX {
                    true => {
                        unread.insert(hash, error.to_string());
                    }
                    false => report.problems_more += 1,
                }
            }
            for listed in some {
                let length = u64::from(listed.length);
                report.objects += 1;
                report.bytes += length;
                if listed.pack.is_none() {
                    report.row_bytes += length;
                }
                if !marks.has(&listed.hash) {
                    report.orphans += 1;
                    report.orphan_bytes += length;
                }
                marks.take_content(&listed.hash);
            }
            progress(Step::Objects(report.objects));
        }
    }
}

/// Cuts a list where its objects would be too much to have in memory.
fn portions(page: &[Listed]) -> impl Iterator<Item = &[Listed]> {
    let mut bytes = 0;
    let mut objects = 0;
    page.chunk_by(move |listed, _| {
        bytes += u64::from(listed.length);
        objects += 1;
        let is_full = bytes >= BYTES_AT_ONCE || objects >= OBJECTS_AT_ONCE;
        if is_full {
            (bytes, objects) = (0, 0);
        }
        !is_full
    })
}

impl Report {
    fn add(&mut self, hash: Hash, problem: Problem) {
        if self.problems.contains_key(&hash) {
            return;
        }
        match self.problems.len() < PROBLEMS_MAX {
            true => {
                self.problems.insert(hash, problem);
            }
            false => self.problems_more += 1,
        }
    }

    /// Tells whether everything is there.
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty() && self.problems_more == 0
    }
}

/// Notes who needs what is missing.
#[derive(Default)]
struct Finder {
    /// Contents that are not stored, by half of their names.
    missing: HashSet<[u8; 16]>,
    /// Objects that cannot be read, with the reason, until somebody is found who needs them.
    unread: BTreeMap<Hash, String>,
    found: BTreeMap<Hash, Problem>,
}

impl Finder {
    fn note(&mut self, hash: Hash, root: &Rooted, reason: String) {
        let needed_by = Some(Need {
            session_id: root.session_id.clone(),
            event: root.number,
        });
        if self.found.len() < PROBLEMS_MAX {
            let problem = Problem { reason, needed_by };
            self.found.entry(hash).or_insert(problem);
        }
    }
}

impl Visitor for Finder {
    type Stop = CollectError;

    fn content(&mut self, hash: &Hash, root: &Rooted) {
        let reason = match self.unread.remove(hash) {
            Some(reason) => reason,
            None if self.missing.contains(&super::mark::half(hash)) => {
                ContentError::Missing(*hash).to_string()
            }
            None => return,
        };
        self.note(*hash, root, reason);
    }

    fn broken(&mut self, hash: Hash, root: &Rooted, reason: String) -> Result<(), CollectError> {
        self.unread.remove(&hash);
        self.note(hash, root, reason);
        Ok(())
    }
}
