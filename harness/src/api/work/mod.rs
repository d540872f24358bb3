//! Work queues of self-hosted environments: which session needs a worker, and who serves it.
//!
//! A session on such an environment has at most one item that has not stopped. The item is queued with the
//! session, and again when the session gets input and has none. A worker claims it, keeps it with
//! heartbeats, and stops it when the session is quiet; what a worker leaves undone is queued again, what an
//! operator stops stays stopped until the session gets input.

mod item;
mod lease;
mod poll;
mod queue;
mod read;
mod stop;
mod token;

use axum::Router;
use axum::routing::{get, post};

use crate::api::ApiState;

pub use queue::WorkQueue;
pub(in crate::api) use queue::{
    ensure, environment_of, first_item, forget_environment, forget_session,
};
pub(in crate::api) use token::find_token;

/// Returns the routes.
pub(super) fn routes() -> Router<ApiState> {
    const WORK: &str = "/v1/environments/{environment_id}/work";
    Router::new()
        .route(WORK, get(read::list))
        .route(&format!("{WORK}/poll"), get(poll::poll))
        .route(&format!("{WORK}/stats"), get(read::stats))
        .route(
            &format!("{WORK}/{{work_id}}"),
            get(read::get).post(read::update),
        )
        .route(&format!("{WORK}/{{work_id}}/ack"), post(lease::acknowledge))
        .route(
            &format!("{WORK}/{{work_id}}/heartbeat"),
            post(lease::heartbeat),
        )
        .route(&format!("{WORK}/{{work_id}}/stop"), post(stop::stop))
}
