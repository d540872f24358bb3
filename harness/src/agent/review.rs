//! Review before write: a call runs on a copy, and what it would change waits for somebody to look at it.
//!
//! The copy is the session's own folder: nothing of it is committed, so dropping the hand undoes it. What the call
//! came to is kept with the event that asks, and lands with the call's result once it is allowed, whole or in part.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde_json::{Value, json};

use super::runner::Runner;
use super::session::DriverError;
use crate::hands::CallOutcome;
use crate::ids::EventId;
use crate::memory::mount::MOUNT_ROOT;
use crate::session::{EventKind, Review, review_policy, text_block};
use crate::store::{Files, FilesChange, NewObjects, Root, StoreError};
use crate::tree::{
    CONTEXT_LINES, Comparison, FileDiff, TreeError, blocking, choose, compare, compare_roots,
    folders, no_files, seal,
};

/// Where files are scratch, of which a review without patterns takes no notice.
const SCRATCH: &str = "/tmp/";
/// Bytes of the patch that goes with the event; the rest is to be had from the API.
const PATCH_BYTES_MAX: usize = 64 << 10;
/// Names that go with the event.
const FILES_MAX: usize = 500;
/// Names that are told to the model.
const TOLD_MAX: usize = 50;

/// Whose changes are looked at.
pub(super) struct Policy {
    /// None for all but scratch.
    paths: Option<GlobSet>,
}

impl Policy {
    /// Reads a session's configuration; none if its calls are not reviewed.
    pub(super) fn of(config: &Value) -> Option<Self> {
        let paths = review_policy(config)?;
        let paths = paths.map(|patterns| {
            let mut set = GlobSetBuilder::new();
            // They were checked when they were given.
            for pattern in &patterns {
                // `*` ends at a slash, as in a shell; `**` does not.
                let pattern = GlobBuilder::new(pattern).literal_separator(true).build();
                if let Ok(pattern) = pattern {
                    set.add(pattern);
                }
            }
            set.build().unwrap_or_default()
        });
        Some(Self { paths })
    }

    fn wants(&self, path: &str) -> bool {
        match &self.paths {
            Some(paths) => paths.is_match(path),
            None => !path.starts_with(SCRATCH),
        }
    }
}

impl Runner {
    /// Asks for a review of what a call changed, if the policy wants one, and tells whether it does. The
    /// objects of `change` are stored by then.
    pub(super) async fn ask_for_review(
        &mut self,
        policy: &Policy,
        event_id: &EventId,
        change: &mut FilesChange,
        outcome: &CallOutcome,
    ) -> Result<bool, DriverError> {
        change.objects = self.stored(std::mem::take(&mut change.objects)).await?;
        let base = self.committed_files().await?;
        let (content, old) = (&self.brain.content, base.map(|files| files.root));
        let compared = compare_roots(content, old, Some(change.files.root), CONTEXT_LINES).await;
        let compared = compared.map_err(failed)?;
        if !compared.files.iter().any(|file| policy.wants(&file.path)) {
            return Ok(false);
        }
        let review = Review {
            base,
            files: change.files,
            content: outcome.content.clone(),
            is_error: outcome.is_error,
            shown: shown(event_id, &compared),
        };
        // The session's files stay what they are; what the call made is kept with this event.
        self.slot().await.drop_hand();
        let mut draft = self.draft()?;
        draft.with_private(
            EventId::fresh(draft.at()),
            EventKind::ReviewRequested,
            review.shown.clone(),
            Some(review.to_private()),
        );
        let root = |hash, is_list| Root { hash, is_list };
        let shell = change.files.shell.map(|shell| root(shell, false));
        let also = [Some(root(change.files.root, true)), shell];
        let kept = Some(Box::new(FilesChange {
            files: match base {
                Some(base) => base,
                None => {
                    let made = no_files(&self.brain.content).await;
                    let (files, objects) = made.map_err(failed)?;
                    self.brain.store.files().add_objects(objects).await?;
                    files
                }
            },
            also: also.into_iter().flatten().collect(),
            objects: change.objects.clone(),
        }));
        self.slot().await.unsaved = kept;
        self.commit(draft).await?;
        Ok(true)
    }

    /// Lets a call that was allowed change the files, and answers it.
    pub(super) async fn land(
        &mut self,
        event_id: &EventId,
        review: &Review,
        landing: Option<&[String]>,
    ) -> Result<(), DriverError> {
        let mut outcome = CallOutcome {
            content: review.content.clone(),
            is_error: review.is_error,
        };
        let now = self.committed_files().await?;
        let is_now = |base: Files| now.is_some_and(|now| base.digest == now.digest);
        // Without files before, the request itself was committed with none.
        if !review.base.is_none_or(is_now) {
            outcome = CallOutcome {
                content: vec![text_block(
                    "The user allowed what this call would change, but the files have changed since it ran, so \
                     nothing was changed. Make the call again.",
                )],
                is_error: true,
            };
            return self.answer(event_id, outcome).await;
        }
        let (files, objects) = match landing {
            // The event that asked keeps them all.
            None => (review.files, NewObjects::default()),
            Some(landing) => {
                let (files, left, objects) = self.choose(review, landing).await?;
                if !left.is_empty() {
                    outcome.content.push(text_block(&told_left(&left)));
                }
                (files, objects)
            }
        };
        // The hand, if there is one, shows the files before: the next one begins with these.
        self.slot().await.drop_hand();
        self.slot().await.unsaved = Some(Box::new(FilesChange {
            files,
            also: Vec::new(),
            objects,
        }));
        self.answer(event_id, outcome).await
    }

    /// Makes the files before the call with what the client lets land; and returns what it does not.
    async fn choose(
        &self,
        review: &Review,
        landing: &[String],
    ) -> Result<(Files, Vec<String>, NewObjects), DriverError> {
        let content = self.brain.content.clone();
        let (base, new, landing) = (review.base, review.files, landing.to_vec());
        let chosen = blocking(move || {
            let mut batch = content.batch();
            let old = folders(batch.reader(), base.map(|base| base.root))?;
            let wanted = folders(batch.reader(), new.root)?;
            let lands = |path: &str| {
                landing.iter().any(|chosen| {
                    let rest = path.strip_prefix(chosen.trim_end_matches('/'));
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
            };
            let merged = choose(&mut batch, &old, &wanted, &lands)?;
            let (root, digest) = seal(&mut batch, &merged, MOUNT_ROOT)?;
            let left = compare(batch.reader(), &merged, &wanted, 0)?;
            let left = left.files.into_iter().map(|file| file.path).collect();
            let files = Files {
                root,
                digest,
                shell: new.shell,
            };
            Ok((files, left, batch.finish()?.objects))
        });
        let (files, left, objects): (Files, Vec<String>, NewObjects) =
            chosen.await.map_err(failed)?;
        Ok((files, left, self.stored(objects).await?))
    }

    /// Stores objects ahead of the append that needs them, and returns them as what that append must still find.
    async fn stored(&self, objects: NewObjects) -> Result<NewObjects, DriverError> {
        let rows = objects.rows.iter().map(|(hash, _)| *hash);
        let parts = objects.pack.iter().flat_map(|pack| &pack.parts);
        let kept = rows
            .chain(parts.map(|(hash, _, _)| *hash))
            .chain(objects.kept.iter().copied())
            .collect();
        self.brain.store.files().add_objects(objects).await?;
        Ok(NewObjects {
            kept,
            ..NewObjects::default()
        })
    }

    /// Returns the session's files as committed.
    pub(super) async fn committed_files(&self) -> Result<Option<Files>, DriverError> {
        let last = self.state().last;
        let index = self.brain.store.files();
        Ok(index.files_at(&self.session_id, last).await?)
    }
}

fn failed(error: TreeError) -> DriverError {
    match error.is_full() {
        true => StoreError::Full.into(),
        false => StoreError::Failed(error.to_string()).into(),
    }
}

/// Returns what whoever decides is shown.
fn shown(event_id: &EventId, compared: &Comparison) -> Value {
    let mut patch = String::new();
    let mut is_cut = compared.is_cut || compared.files.len() > FILES_MAX;
    for file in &compared.files {
        let part = file.patch();
        if patch.len() + part.len() > PATCH_BYTES_MAX {
            is_cut = true;
            continue;
        }
        patch.push_str(&part);
    }
    let files = compared.files.iter().take(FILES_MAX).map(file_json);
    json!({
        "tool_use_id": event_id.as_str(),
        "files": files.collect::<Vec<_>>(),
        "patch": patch,
        "is_truncated": is_cut,
    })
}

fn file_json(file: &FileDiff) -> Value {
    json!({
        "path": file.path,
        "change": file.change(),
        "additions": file.additions,
        "deletions": file.deletions,
    })
}

fn told_left(left: &[String]) -> String {
    let more = match left.len().saturating_sub(TOLD_MAX) {
        0 => String::new(),
        more => format!("\n(and {more} more)"),
    };
    let names: Vec<&str> = left.iter().take(TOLD_MAX).map(String::as_str).collect();
    format!(
        "The user let only a part of what this call changed land. These are as they were before it:\n{}{more}",
        names.join("\n")
    )
}
