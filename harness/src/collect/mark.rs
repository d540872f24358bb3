//! Following roots: each list is read once, whatever leads to it.

use std::collections::HashSet;

use crate::content::{Content, ContentError, Found};
use crate::store::{Hash, Rooted, StoreError};
use crate::tree::{Links, linked};

/// Lists that are read together. Most have some hundred bytes, the largest some ten thousand.
const LISTS_AT_ONCE: usize = 64;

/// Hears of what is met.
pub(super) trait Visitor: Send {
    /// What it stops with.
    type Stop: From<StoreError>;

    /// An object that is mere content is needed by `root`, and was not met before. It was not read.
    fn content(&mut self, hash: &Hash, root: &Rooted);

    /// A list that `root` needs cannot be followed. `reason` names it. Without an error the rest is
    /// followed.
    fn broken(&mut self, hash: Hash, root: &Rooted, reason: String) -> Result<(), Self::Stop>;
}

/// What is needed, as far as it was followed.
pub(super) struct Marks {
    content: Content,
    /// Lists, and whether they were read as lists of pieces. Two lists that were taken for one would hide what the
    /// other leads to, so their hashes are whole.
    lists: HashSet<(Hash, bool)>,
    /// Halves of the hashes of mere contents: two that are taken for one only keep something too long.
    contents: HashSet<[u8; 16]>,
}

/// A list to be read.
struct Waiting<'a> {
    hash: Hash,
    is_pieces: bool,
    root: &'a Rooted,
}

impl Marks {
    pub(super) fn new(content: Content) -> Self {
        Self {
            content,
            lists: HashSet::new(),
            contents: HashSet::new(),
        }
    }

    /// Tells whether an object is needed.
    pub(super) fn has(&self, hash: &Hash) -> bool {
        self.contents.contains(&half(hash))
            || self.lists.contains(&(*hash, false))
            || self.lists.contains(&(*hash, true))
    }

    /// Takes a mere content from what was met.
    pub(super) fn take_content(&mut self, hash: &Hash) {
        self.contents.remove(&half(hash));
    }

    /// Returns the halves of the hashes of the mere contents that were met and not taken.
    pub(super) fn into_contents(self) -> HashSet<[u8; 16]> {
        self.contents
    }

    /// Follows roots to all that they lead to and that was not met yet.
    pub(super) async fn follow<V: Visitor>(
        &mut self,
        roots: &[Rooted],
        visitor: &mut V,
    ) -> Result<(), V::Stop> {
        let mut waiting = Vec::new();
        // The last one waits on top, so the first root comes first.
        for root in roots.iter().rev() {
            match root.root.is_list {
                true => waiting.push(Waiting {
                    hash: root.root.hash,
                    is_pieces: false,
                    root,
                }),
                false => self.meet_content(root.root.hash, root, visitor),
            }
        }
        while !waiting.is_empty() {
            let mut some = waiting.split_off(waiting.len().saturating_sub(LISTS_AT_ONCE));
            some.retain(|list| self.lists.insert((list.hash, list.is_pieces)));
            let hashes: Vec<Hash> = some.iter().map(|list| list.hash).collect();
            let found = self.content.examine(&hashes).await?;
            for list in some {
                match followed(found.get(&list.hash), &list) {
                    Ok(links) => {
                        for hash in links.contents {
                            self.meet_content(hash, list.root, visitor);
                        }
                        let lists = links.lists.into_iter();
                        waiting.extend(lists.map(|(hash, is_pieces)| Waiting {
                            hash,
                            is_pieces,
                            root: list.root,
                        }));
                    }
                    Err(reason) => visitor.broken(list.hash, list.root, reason)?,
                }
            }
        }
        Ok(())
    }

    fn meet_content(&mut self, hash: Hash, root: &Rooted, visitor: &mut impl Visitor) {
        if self.contents.insert(half(&hash)) {
            visitor.content(&hash, root);
        }
    }
}

/// Returns what a list leads to, or why that cannot be told.
fn followed(
    found: Option<&Result<Found, ContentError>>,
    list: &Waiting<'_>,
) -> Result<Links, String> {
    match found {
        Some(Ok(found)) => linked(&found.content, list.is_pieces).ok_or_else(|| {
            let what = match list.is_pieces {
                true => "list of pieces",
                false => "folder",
            };
            format!("object {} is no {what}", list.hash)
        }),
        Some(Err(error)) => Err(error.to_string()),
        None => Err(ContentError::Missing(list.hash).to_string()),
    }
}

/// Returns half of a hash.
pub(super) fn half(hash: &Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut()
        .zip(hash.0)
        .for_each(|(to, from)| *to = from);
    half
}
