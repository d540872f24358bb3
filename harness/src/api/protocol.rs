//! The protocol headers: `anthropic-version` and `anthropic-beta`, and which beta opens which paths.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::error::{ApiError, quoted};

/// The API versions that clients may name. Absent counts as the newest.
const VERSIONS: [&str; 2] = ["2026-10-21", "2023-06-01"];
/// Most values in one request's `anthropic-beta` headers.
const BETAS_MAX: usize = 100;

const MANAGED_AGENTS: &str = "managed-agents-2026-04-01";
const AGENT_MEMORY: &str = "agent-memory-2026-07-22";

/// Every beta that an official client may name; naming another one is an error.
const BETAS: &[&str] = &[
    "admin-user-sign-out-2026-10-08",
    "advisor-tool-2026-03-01",
    AGENT_MEMORY,
    "analytics-usage-cost-2026-08-24",
    "cache-diagnosis-2026-04-07",
    "ce-claude-code-managed-settings-2026-10-06",
    "ce-plugins-2026-09-01",
    "ce-user-management-2026-07-13",
    "code-execution-2025-05-22",
    "compact-2026-01-12",
    "compact-2026-09-04",
    "computer-use-2024-10-22",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "dev-full-thinking-2025-05-14",
    "dreaming-2026-04-21",
    "experimental-claude-tag-2026-10-21",
    "extended-cache-ttl-2025-04-11",
    "fallback-credit-2026-06-01",
    "fallback-credit-2026-07-01",
    "fast-mode-2026-02-01",
    "files-api-2025-04-14",
    "inline-tools-2026-09-15",
    "interleaved-thinking-2025-05-14",
    MANAGED_AGENTS,
    "mcp-client-2025-04-04",
    "mcp-client-2025-11-20",
    "mcp-client-2026-09-15",
    "mcp-tunnels-2026-06-22",
    "message-batches-2024-09-24",
    "message-threads-2026-08-12",
    "mid-conversation-output-config-2026-07-01",
    "mid-conversation-system-clear-at-2026-08-21",
    "mid-conversation-tool-changes-2026-07-01",
    "model-context-window-exceeded-2025-08-26",
    "output-128k-2025-02-19",
    "output-300k-2026-03-24",
    "pdfs-2024-09-25",
    "prompt-caching-2024-07-31",
    "server-side-fallback-2026-06-01",
    "server-side-fallback-2026-07-01",
    "skills-2025-10-02",
    "spend-limit-reads-2026-09-26",
    "structured-outputs-2025-11-13",
    "task-budgets-2026-03-13",
    "telemetry-destinations-2026-08-11",
    "thinking-binding-controls-2026-08-01",
    "thinking-display-updates-2026-08-18",
    "thinking-token-count-2026-05-13",
    "token-counting-2024-11-01",
    "token-efficient-tools-2025-02-19",
    "user-profiles-2026-03-24",
    "user-profiles-2026-08-18",
    "user-profiles-2026-09-04",
    "user-profiles-billing-2026-10-01",
    "webhooks-2026-10-07",
];

/// Path roots that exist only for callers who name one of the betas beside them.
const BETA_ONLY: &[(&str, &[&str])] = &[
    ("/v1/agents", &[MANAGED_AGENTS]),
    ("/v1/environments", &[MANAGED_AGENTS]),
    ("/v1/sessions", &[MANAGED_AGENTS]),
    ("/v1/vaults", &[MANAGED_AGENTS]),
    ("/v1/deployments", &[MANAGED_AGENTS]),
    ("/v1/deployment_runs", &[MANAGED_AGENTS]),
    // Older clients send the managed-agents beta here.
    ("/v1/memory_stores", &[AGENT_MEMORY, MANAGED_AGENTS]),
];

/// Lets requests through whose protocol headers fit their path.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    match check(request.headers(), request.uri().path()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(headers: &HeaderMap, path: &str) -> Result<(), ApiError> {
    if let Some(version) = headers.get("anthropic-version") {
        let version = version.to_str().unwrap_or_default();
        if !VERSIONS.contains(&version) {
            return Err(ApiError::invalid(format!(
                "anthropic-version: expected {}, got {}",
                VERSIONS.join(" or "),
                quoted(version)
            )));
        }
    }
    let betas = named_betas(headers)?;
    let Some((root, openers)) = opener(path) else {
        return Ok(());
    };
    let opening = openers.iter().filter(|beta| betas.contains(beta)).count();
    if opening == 0 {
        return Err(ApiError::no_route(format!(
            "{root} is in beta: name {} in the anthropic-beta header",
            openers.join(" or ")
        )));
    }
    if opening > 1 {
        return Err(ApiError::invalid(format!(
            "anthropic-beta: {} exclude each other on {root}",
            openers.join(" and ")
        )));
    }
    Ok(())
}

/// Returns the betas that open a path; none if it is open without.
pub(super) fn betas_of(path: &str) -> &'static [&'static str] {
    opener(path).map_or(&[], |(_, openers)| openers)
}

fn opener(path: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    let is_below = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    BETA_ONLY.iter().find(|(root, _)| is_below(root))
}

fn named_betas(headers: &HeaderMap) -> Result<Vec<&'static str>, ApiError> {
    let mut betas = Vec::new();
    for value in headers.get_all("anthropic-beta") {
        let text = value
            .to_str()
            .map_err(|_| ApiError::invalid("anthropic-beta: expected plain text"))?;
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            let known = BETAS.iter().find(|beta| **beta == name).ok_or_else(|| {
                ApiError::invalid(format!("anthropic-beta: unknown beta {}", quoted(name)))
            })?;
            betas.push(*known);
        }
        if betas.len() > BETAS_MAX {
            return Err(ApiError::invalid(format!(
                "anthropic-beta: at most {BETAS_MAX} values"
            )));
        }
    }
    Ok(betas)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;

    #[test]
    fn headers_decide() {
        let both = "agent-memory-2026-07-22,managed-agents-2026-04-01";
        for (path, version, beta, expected) in [
            ("/v1/agents", "2026-10-21", Some(MANAGED_AGENTS), Ok(())),
            (
                "/v1/agents/agent_1",
                "2023-06-01",
                Some(MANAGED_AGENTS),
                Ok(()),
            ),
            // Clients repeat it when their user names it too.
            (
                "/v1/sessions",
                "2026-10-21",
                Some("files-api-2025-04-14, managed-agents-2026-04-01,managed-agents-2026-04-01"),
                Ok(()),
            ),
            ("/v1/agents", "2026-10-21", None, Err(404)),
            (
                "/v1/agents/x/archive",
                "2026-10-21",
                Some("skills-2025-10-02"),
                Err(404),
            ),
            (
                "/v1/agents",
                "2026-10-21",
                Some("managed-agents-2099-01-01"),
                Err(400),
            ),
            ("/v1/agents", "2020-01-01", Some(MANAGED_AGENTS), Err(400)),
            ("/v1/models", "2026-10-21", None, Ok(())),
            ("/v1/models", "2026-10-21", Some("nonsense"), Err(400)),
            ("/v1/agentsx", "2026-10-21", None, Ok(())),
            (
                "/v1/memory_stores",
                "2026-10-21",
                Some(AGENT_MEMORY),
                Ok(()),
            ),
            (
                "/v1/memory_stores",
                "2026-10-21",
                Some(MANAGED_AGENTS),
                Ok(()),
            ),
            ("/v1/memory_stores/x", "2026-10-21", Some(both), Err(400)),
            ("/v1/memory_stores", "2026-10-21", None, Err(404)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("anthropic-version", version.parse().unwrap());
            if let Some(beta) = beta {
                headers.insert("anthropic-beta", beta.parse().unwrap());
            }
            let got = check(&headers, path).map_err(|error| error.status().as_u16());
            assert_eq!(got, expected, "{path} {version} {beta:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append("anthropic-beta", "skills-2025-10-02".parse().unwrap());
        headers.append("anthropic-beta", MANAGED_AGENTS.parse().unwrap());
        assert!(
            check(&headers, "/v1/agents").is_ok(),
            "two headers are one list"
        );
    }
}
