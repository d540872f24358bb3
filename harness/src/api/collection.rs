//! What every stored resource has in common: a list, newest first, and an archive that is for ever.

use axum::Json;
use serde_json::Value;

use crate::api::page::{self, Cursor, Position};
use crate::api::query::Query;
use crate::api::{ApiError, ApiState, Caller};
use crate::clock::Timestamp;
use crate::ids::WorkspaceId;
use crate::store::{
    Key, Kind, Order, ROWS_MAX, Resource, ResourceChange, ResourceQuery, StoreError, TimeRange,
};

/// How often a change is decided anew when others write the same resource meanwhile.
pub(super) const UPDATE_ATTEMPTS_MAX: usize = 8;
/// Page size of lists, unless the client asks for another.
pub(super) const LIMIT_DEFAULT: usize = 20;
/// Largest page.
pub(super) const LIMIT_MAX: usize = 100;

/// What a handler answers with.
pub(super) type Answer = Result<Json<Value>, ApiError>;

/// Returns resources of a kind that have all of these labels, newest first: at most `limit`, those behind `after`.
pub(super) async fn labelled(
    api: &ApiState,
    workspace: &WorkspaceId,
    kind: Kind,
    labels: Vec<(String, String)>,
    after: Option<(Timestamp, String)>,
    limit: usize,
) -> Result<Vec<Resource>, StoreError> {
    let query = ResourceQuery {
        workspace: workspace.clone(),
        kind,
        include_archived: false,
        created_at: TimeRange::default(),
        statuses: Vec::new(),
        labels,
        order: Order::Descending,
        after,
        limit,
    };
    api.store.list(&query).await
}

/// As [`labelled`], all there are.
pub(super) async fn all_labelled(
    api: &ApiState,
    workspace: &WorkspaceId,
    kind: Kind,
    labels: Vec<(String, String)>,
) -> Result<Vec<Resource>, StoreError> {
    let mut found: Vec<Resource> = Vec::new();
    loop {
        let after = found
            .last()
            .map(|last| (last.created_at, last.key.id.clone()));
        let page = labelled(api, workspace, kind, labels.clone(), after, ROWS_MAX).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

/// A kind of resource as the API shows it.
pub(super) struct Collection {
    /// The stored kind.
    pub(super) kind: Kind,
    /// The list's name, to which its cursors are bound.
    pub(super) list: &'static str,
    /// One of them, for messages.
    pub(super) noun: &'static str,
    /// The wire form.
    pub(super) wire: fn(&Resource) -> Value,
    /// The error code of one that is not there, where the contract has one.
    pub(super) missing_code: Option<&'static str>,
}

/// Which resources of a kind a list shows.
pub(super) struct Selection {
    /// Also archived ones.
    pub(super) include_archived: bool,
    /// Bounds on the creation time.
    pub(super) created_at: TimeRange,
    /// Any of these states; empty for all.
    pub(super) statuses: Vec<String>,
    /// All of these labels.
    pub(super) labels: Vec<(String, String)>,
    /// Largest page.
    pub(super) limit_max: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            include_archived: false,
            created_at: TimeRange::default(),
            statuses: Vec::new(),
            labels: Vec::new(),
            limit_max: LIMIT_MAX,
        }
    }
}

impl Collection {
    /// Returns a page of the workspace's resources that were created within `created_at`, newest first.
    pub(super) async fn list(
        &self,
        api: &ApiState,
        caller: Caller,
        query: &Query,
        created_at: TimeRange,
    ) -> Answer {
        let selection = Selection {
            include_archived: query.flag("include_archived")?,
            created_at,
            ..Selection::default()
        };
        self.list_selected(api, caller, query, selection).await
    }

    /// Returns a page of the workspace's resources of a selection, newest first.
    pub(super) async fn list_selected(
        &self,
        api: &ApiState,
        caller: Caller,
        query: &Query,
        selection: Selection,
    ) -> Answer {
        let (rows, next) = self.select(api, caller, query, selection).await?;
        let data = rows.iter().map(self.wire).collect();
        Ok(Json(page::cursor_page(data, next)))
    }

    /// Returns the rows of a page of a selection, newest first, and the cursor behind it.
    pub(super) async fn select(
        &self,
        api: &ApiState,
        caller: Caller,
        query: &Query,
        selection: Selection,
    ) -> Result<(Vec<Resource>, Option<Cursor>), ApiError> {
        let limit = query.limit(LIMIT_DEFAULT, selection.limit_max)?;
        let order = Order::Descending;
        let mut rows = api
            .store
            .list(&ResourceQuery {
                workspace: caller.workspace,
                kind: self.kind,
                include_archived: selection.include_archived,
                created_at: selection.created_at,
                statuses: selection.statuses,
                labels: selection.labels,
                order,
                after: page::created_cursor(query, self.list, order, &selection.created_at)?,
                limit: page::rows_to_fetch(limit),
            })
            .await?;
        let is_more = page::cut(&mut rows, limit);
        let next = rows.last().filter(|_| is_more).map(|last| {
            let place = Position::Created(last.created_at, last.key.id.clone());
            Cursor::next(self.list, order, place)
        });
        Ok((rows, next))
    }

    /// Archives a resource, and frees its name; again changes nothing.
    pub(super) async fn archive(&self, api: &ApiState, key: &Key) -> Answer {
        for _ in 0..UPDATE_ATTEMPTS_MAX {
            let found = api.store.get(key, None).await;
            let stored = found.map_err(|error| self.missing(error, &key.id))?;
            if stored.archived_at.is_some() {
                return Ok(Json((self.wire)(&stored)));
            }
            let now = api.clock.now();
            let change = ResourceChange {
                body: stored.body.clone(),
                new_version: false,
                unique_name: None,
                status: stored.status.clone(),
                archived_at: Some(now),
                at: now,
            };
            match api.store.update(&stored.key, stored.revision, change).await {
                Ok(archived) => return Ok(Json((self.wire)(&archived))),
                Err(StoreError::RevisionConflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(self.too_busy())
    }

    /// Returns what a failure to read the one with this id means to the client.
    pub(super) fn missing(&self, error: StoreError, id: &str) -> ApiError {
        match (error, self.missing_code) {
            (StoreError::NotFound, Some(code)) => {
                ApiError::not_found(self.noun, id).with_code(code)
            }
            (StoreError::NotFound, None) => ApiError::not_found(self.noun, id),
            (error, _) => error.into(),
        }
    }

    /// The refusal of a change that others were always faster than.
    pub(super) fn too_busy(&self) -> ApiError {
        let message = format!("the {} is changed by others all the time", self.noun);
        ApiError::conflict(message, true)
    }
}
