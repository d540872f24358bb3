//! `sinew session requests`: what a session sent over the network, and what was denied.

use anyhow::Result;
use serde_json::Value;

use super::resource::{One, text};
use crate::json::Fields as _;

/// Shows a session's requests, oldest first, one a line.
pub(super) async fn requests(one: One) -> Result<()> {
    let client = one.daemon.client()?;
    let mut after = 0;
    loop {
        let path = format!("/sinew/v1/sessions/{}/requests?after={after}", one.id);
        let answer = client.get(&path).await?;
        for request in answer.at("data").as_array().into_iter().flatten() {
            match one.daemon.json {
                true => say!("{request}"),
                false => say!("{}", line(request)),
            }
        }
        match answer.at("next_after").as_u64() {
            Some(next) if next > after => after = next,
            _ => return Ok(()),
        }
    }
}

fn line(request: &Value) -> String {
    let port = request.at("port").as_u64();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let came_to = match (request.at("status").as_u64(), request.at("error").as_str()) {
        (Some(status), Some(error)) => format!("{status}, {error}"),
        (Some(status), None) => status.to_string(),
        (None, error) => error.unwrap_or_default().to_owned(),
    };
    let used = request.at("credential_ids").as_array();
    let used: Vec<String> = used.into_iter().flatten().map(text).collect();
    let mut line = format!(
        "{}  {} {}://{}{port}{}  {came_to}  up {} down {}  {} ms",
        text(request.at("at")),
        text(request.at("method")),
        text(request.at("scheme")),
        text(request.at("host")),
        text(request.at("path")),
        request.at("bytes_up"),
        request.at("bytes_down"),
        request.at("duration_ms"),
    );
    if !used.is_empty() {
        line.push_str(&format!("  with {}", used.join(", ")));
    }
    line
}
