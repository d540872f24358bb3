//! Calls of custom tools that a server runs: one request, whose answer is the result.
//!
//! The request leaves by the session's own way out, so environment, rules and credentials count as for a hand, and it stands
//! in the same journal. It names the call in `idempotency-key`; a call that was cut off after it left is not made again.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use serde_json::{Value, json};
use sinew_runtime::{Egress as _, EgressBody, EgressTimeouts};
use tokio_util::sync::CancellationToken;

use super::{CallOutcome, HandError, ToolCall};
use crate::egress::{HostPattern, Scope, ScopedEgress, SessionEgress};
use crate::ids::SessionId;
use crate::json::Fields as _;
use crate::session::text_block;

/// Largest answer in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// What of a refusal's body the model is told, in bytes.
const REFUSAL_BYTES_MAX: usize = 2 << 10;

/// Where a call goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookCall {
    /// The server's address.
    pub url: String,
    /// Names and values of headers; `${NAME}` in a value stands for a credential of the session's.
    pub headers: Vec<(String, String)>,
    /// Time until the whole answer is there.
    pub timeout_ms: u64,
}

impl WebhookCall {
    /// Makes the call. What fails on the way or there is an error for the model.
    pub(super) async fn execute(
        &self,
        session_id: &SessionId,
        egress: &SessionEgress,
        call: &ToolCall,
        cancel: &CancellationToken,
    ) -> Result<CallOutcome, HandError> {
        let Ok(uri) = self.url.parse::<Uri>() else {
            return Ok(failure("The tool's address is none.".to_owned()));
        };
        let scope = Scope {
            hosts: uri.host().map(HostPattern::exact).into_iter().collect(),
            secrets: self.secrets().map(str::to_owned).collect(),
            ..Scope::default()
        };
        let egress = egress.scoped(scope);
        let headers = match self.headers(&egress).await? {
            Ok(headers) => headers,
            Err(why) => return Ok(failure(why)),
        };
        let body = json!({
            "type": "tool_call",
            "session_id": session_id.as_str(),
            "tool_use_id": call.event_id.as_str(),
            "name": call.name,
            "input": call.input,
        });
        let mut request = http::Request::new(body_of(&body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let own = [
            (CONTENT_TYPE, "application/json"),
            (ACCEPT, "application/json, text/plain"),
            (
                HeaderName::from_static("idempotency-key"),
                call.event_id.as_str(),
            ),
        ];
        for (name, value) in own {
            // Ids are plain text.
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        }
        let timeout = Duration::from_millis(self.timeout_ms);
        let exchange = tokio::time::timeout(timeout, exchange(&egress, request, timeout));
        tokio::select! {
            done = exchange => Ok(done.unwrap_or_else(|_| {
                failure(format!("The tool's server did not answer within {} ms; whether it did something is unknown.",
                    self.timeout_ms))
            })),
            () = cancel.cancelled() => Ok(failure("The call was interrupted.".to_owned())),
        }
    }

    /// Returns the names of the credentials in the headers.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let values = self.headers.iter().map(|(_, value)| value);
        values.flat_map(|value| {
            let parts = value.split("${").skip(1);
            parts.filter_map(|part| part.split_once('}').map(|(name, _)| name))
        })
    }

    /// Returns the headers with placeholders. The inner error tells which credential the session does not have.
    async fn headers(&self, egress: &ScopedEgress) -> Result<Result<HeaderMap, String>, HandError> {
        let variables = egress
            .variables()
            .await
            .map_err(|error| HandError::Host(format!("the credentials cannot be read: {error}")))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let mut value = value.clone();
            for (variable, placeholder) in &variables {
                value = value.replace(&format!("${{{variable}}}"), placeholder);
            }
            if let Some((_, rest)) = value.split_once("${") {
                let name = rest.split('}').next().unwrap_or_default();
                let why = format!(
                    "The session has no credential {name}, which the tool's server needs: add one to a vault of the session."
                );
                return Ok(Err(why));
            }
            // Checked when the agent was saved; a placeholder is plain text.
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(&value),
            ) {
                headers.insert(name, value);
            }
        }
        Ok(Ok(headers))
    }
}

async fn exchange(
    egress: &ScopedEgress,
    request: http::Request<EgressBody>,
    timeout: Duration,
) -> CallOutcome {
    let timeouts = EgressTimeouts {
        first_byte: Some(timeout),
        ..EgressTimeouts::default()
    };
    let response = match egress.send(request, timeouts).await {
        Ok(response) => response,
        Err(error) => return failure(format!("The tool's server cannot be asked: {error}")),
    };
    let (head, body) = response.into_parts();
    let content = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(content) => content.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return failure(format!(
                "The tool's server answered with more than {ANSWER_BYTES_MAX} bytes."
            ));
        }
        Err(error) => {
            return failure(format!(
                "The answer of the tool's server broke off: {error}"
            ));
        }
    };
    if !head.status.is_success() {
        let text = String::from_utf8_lossy(&content);
        let start = text.get(..text.floor_char_boundary(REFUSAL_BYTES_MAX));
        return failure(format!(
            "The tool's server answered {}: {}",
            head.status,
            start.unwrap_or_default()
        ));
    }
    let kind = head.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.starts_with("application/json") {
        true => read(&content),
        false => outcome(vec![text_block(&String::from_utf8_lossy(&content))], false),
    }
}

/// Reads an answer in JSON: `{content, is_error}`, whose content is a text or text blocks; any other value is the result
/// itself.
fn read(content: &[u8]) -> CallOutcome {
    let Ok(answer) = serde_json::from_slice::<Value>(content) else {
        return failure("The tool's server says that it answers in JSON, and does not.".to_owned());
    };
    let is_error = *answer.at("is_error") == true;
    let blocks = match answer.at("content") {
        Value::String(text) => vec![text_block(text)],
        Value::Array(blocks) if !blocks.is_empty() => {
            let text = |block: &Value| match block.at("type").as_str() {
                Some("text") => block.at("text").as_str().map(text_block),
                _ => None,
            };
            match blocks.iter().map(text).collect::<Option<Vec<_>>>() {
                Some(blocks) => blocks,
                None => vec![text_block(&answer.at("content").to_string())],
            }
        }
        _ => vec![text_block(&match &answer {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })],
    };
    outcome(blocks, is_error)
}

fn body_of(body: &Value) -> EgressBody {
    let full = Full::new(Bytes::from(body.to_string()));
    full.map_err(|never| match never {}).boxed_unsync()
}

fn outcome(content: Vec<Value>, is_error: bool) -> CallOutcome {
    CallOutcome { content, is_error }
}

fn failure(text: String) -> CallOutcome {
    outcome(vec![text_block(&text)], true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_results() {
        let texts = |answer: Value| {
            let outcome = read(answer.to_string().as_bytes());
            let texts = outcome.content.iter();
            let texts: Vec<String> = texts
                .map(|block| block["text"].as_str().unwrap_or_default().to_owned())
                .collect();
            (texts.join("|"), outcome.is_error)
        };
        let cases = [
            (json!({"content": "a"}), "a", false),
            (json!({"content": "no", "is_error": true}), "no", true),
            (
                json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
                "a|b",
                false,
            ),
            (json!({"content": [1]}), "[1]", false),
            (json!({"found": 3}), "{\"found\":3}", false),
            (json!("plain"), "plain", false),
            (json!([]), "[]", false),
        ];
        for (answer, expected, is_error) in cases {
            assert_eq!(texts(answer), (expected.to_owned(), is_error));
        }
        assert!(read(b"{").is_error);
    }

    #[test]
    fn headers_name_their_credentials() {
        let call = WebhookCall {
            url: String::new(),
            headers: vec![
                ("a".to_owned(), "Bearer ${TOKEN}".to_owned()),
                ("b".to_owned(), "${ONE}${TWO} $NONE".to_owned()),
            ],
            timeout_ms: 1,
        };
        assert_eq!(call.secrets().collect::<Vec<_>>(), ["TOKEN", "ONE", "TWO"]);
    }
}
