//! From a provider's refusal to a [`ModelError`]: one table for both wire formats.
//!
//! The status decides, then the error's own type. Two kinds exist only as prose in some providers' answers
//! (a conversation that is too long, an empty account): those phrases are listed here and nowhere else.

use std::time::Duration;

use http::HeaderMap;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;

use super::ModelError;
use super::keys::KeyFault;
use crate::clock::Timestamp;

/// Longest message of an error in bytes; providers sometimes answer with whole web pages.
pub(super) const MESSAGE_BYTES_MAX: usize = 1024;

/// Longest wait that a provider may ask for; a larger number is a mistake or an attack.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Phrases that say that the conversation is longer than the model's context.
const TOO_LONG_PHRASES: [&str; 6] = [
    "prompt is too long",
    "exceed context limit",
    "maximum context length",
    "context length exceeded",
    "exceeds the available context size",
    "context window",
];

/// Error types and codes that say the same.
const TOO_LONG_KINDS: [&str; 2] = ["context_length_exceeded", "exceed_context_size_error"];

/// Phrases that say that the account is empty, though the status does not.
const BILLING_PHRASES: [&str; 2] = ["credit balance is too low", "exceeded your current quota"];

/// A refusal and what it says about the key.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) error: ModelError,
    pub(super) key_fault: Option<KeyFault>,
}

/// What a provider said, whatever the wire format.
#[derive(Default)]
struct Said {
    /// The error's `type`.
    kind: String,
    /// The error's `code`, where it is a word.
    code: String,
    /// The error's `code`, where it is an HTTP status.
    status: Option<u16>,
    message: String,
}

impl Said {
    fn parse(body: &Value) -> Self {
        let error = body.get("error").unwrap_or(body);
        let text = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default();
        let message = match error {
            Value::String(message) => message,
            _ => ["message", "detail"]
                .map(text)
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
        };
        let status = error.get("code").and_then(Value::as_u64);
        Self {
            kind: text("type").to_owned(),
            code: text("code").to_owned(),
            status: status.and_then(|status| u16::try_from(status).ok()),
            message: message.to_owned(),
        }
    }

    fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str()) || kinds.contains(&self.code.as_str())
    }

    fn says(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }
}

/// Reads an answer whose status is not 200. `body` may be cut; it need not be JSON.
pub(super) fn from_response(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Failure {
    let mut said = match serde_json::from_slice::<Value>(body) {
        Ok(body) => Said::parse(&body),
        Err(_) => Said {
            message: String::from_utf8_lossy(body).trim().to_owned(),
            ..Said::default()
        },
    };
    if said.message.is_empty() {
        said.message = format!("status {status} without a message");
    }
    let request_id = ["request-id", "x-request-id"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok())
        .filter(|id| id.len() <= 128);
    if let Some(id) = request_id {
        said.message = format!("{} (request {id})", one_line(&said.message));
    }
    let retry_after = retry_after(headers, now);
    let key_fault = match status {
        401 | 403 => Some(KeyFault::Refused),
        429 => Some(KeyFault::Limited(retry_after)),
        _ => None,
    };
    let should_retry = match headers.get("x-should-retry").map(|value| value.as_bytes()) {
        Some(b"true") => Some(true),
        Some(b"false") => Some(false),
        _ => None,
    };
    let error = classify(status, &said, retry_after);
    let error = match should_retry {
        Some(true) if matches!(error, ModelError::Refused(_)) => ModelError::Transient {
            message: said.message,
            retry_after,
        },
        Some(false) if error.is_retryable() => ModelError::Refused(said.message),
        _ => error,
    };
    Failure { error, key_fault }
}

/// Reads an error that came inside a stream, after the provider had accepted the request.
pub(super) fn from_stream(event: &Value) -> ModelError {
    let said = Said::parse(event);
    let status = match said.kind.as_str() {
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "rate_limit_error" => 429,
        "overloaded_error" => 529,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "invalid_request_error" => 400,
        // `api_error`, `timeout_error`, and whatever else may pass.
        _ => said.status.filter(|status| *status >= 400).unwrap_or(500),
    };
    classify(status, &said, None)
}

fn classify(status: u16, said: &Said, retry_after: Option<Duration>) -> ModelError {
    let message = one_line(&said.message);
    if status == 402
        || said.is(&["billing_error", "insufficient_quota"])
        || (status < 500 && said.says(&BILLING_PHRASES))
    {
        return ModelError::Billing(message);
    }
    if matches!(status, 400 | 413 | 422 | 500)
        && (said.is(&TOO_LONG_KINDS) || (status != 500 && said.says(&TOO_LONG_PHRASES)))
    {
        return ModelError::ContextTooLong(message);
    }
    match status {
        401 | 403 => ModelError::Authentication(message),
        429 => ModelError::RateLimited {
            message,
            retry_after,
        },
        503 | 529 => ModelError::Overloaded {
            message,
            retry_after,
        },
        500.. if said.is(&["overloaded_error"]) => ModelError::Overloaded {
            message,
            retry_after,
        },
        408 | 409 | 500.. => ModelError::Transient {
            message,
            retry_after,
        },
        _ => ModelError::Refused(message),
    }
}

/// Reads how long to wait: `retry-after-ms`, or `retry-after` in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
    let seconds = match text("retry-after-ms").and_then(number) {
        Some(ms) => ms / 1000.0,
        None => {
            let text = text("retry-after")?;
            match number(text) {
                Some(seconds) => seconds,
                None => {
                    let at = DateTimeParser::new().parse_timestamp(text).ok()?;
                    at.duration_since(now).as_secs_f64()
                }
            }
        }
    };
    let seconds = seconds.clamp(0.0, RETRY_AFTER_MAX.as_secs_f64());
    Duration::try_from_secs_f64(seconds).ok()
}

/// Returns a bounded line: no control characters, at most [`MESSAGE_BYTES_MAX`] bytes of `text`.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        if line.len() + letter.len_utf8() > MESSAGE_BYTES_MAX {
            line.push('…');
            break;
        }
        line.push(if letter.is_control() { ' ' } else { letter });
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use http::{HeaderName, HeaderValue};

    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn read(status: u16, headers: Headers<'_>, body: &str) -> Failure {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        // Sun, 06 Nov 1994 08:49:37 GMT.
        let now = Timestamp::from_second(784_111_777).unwrap();
        from_response(status, &map, body.as_bytes(), now)
    }

    fn kind(error: &ModelError) -> &'static str {
        match error {
            ModelError::Authentication(_) => "authentication",
            ModelError::Billing(_) => "billing",
            ModelError::RateLimited { .. } => "rate",
            ModelError::Overloaded { .. } => "overloaded",
            ModelError::Transient { .. } => "transient",
            ModelError::ContextTooLong(_) => "long",
            ModelError::Refused(_) => "refused",
            ModelError::Protocol(_) => "protocol",
        }
    }

    #[test]
    fn statuses_and_types_decide() {
        let cases: &[(u16, Headers<'_>, &str, &str)] = &[
            (
                400,
                &[],
                r#"{"error":{"type":"invalid_request_error","message":"bad"}}"#,
                "refused",
            ),
            (
                400,
                &[],
                r#"{"error":{"type":"invalid_request_error","message":"Prompt is too long: 9 > 8"}}"#,
                "long",
            ),
            (
                400,
                &[],
                r#"{"error":{"message":"input length and `max_tokens` exceed context limit: 1 + 2 > 2"}}"#,
                "long",
            ),
            (
                400,
                &[],
                r#"{"error":{"message":"x","code":"context_length_exceeded"}}"#,
                "long",
            ),
            (
                400,
                &[],
                r#"{"error":{"message":"This model's maximum context length is 8192 tokens"}}"#,
                "long",
            ),
            (
                400,
                &[],
                r#"{"error":{"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
                "long",
            ),
            (
                400,
                &[],
                r#"{"error":{"message":"Your credit balance is too low to access the API"}}"#,
                "billing",
            ),
            (401, &[], "{}", "authentication"),
            (402, &[], "{}", "billing"),
            (
                403,
                &[],
                r#"{"error":{"type":"permission_error","message":"no"}}"#,
                "authentication",
            ),
            (
                403,
                &[],
                r#"{"error":{"type":"billing_error","message":"no"}}"#,
                "billing",
            ),
            (404, &[], r#"{"error":"model 'x' not found"}"#, "refused"),
            (408, &[], "", "transient"),
            (409, &[], "", "transient"),
            (413, &[], "<html>", "refused"),
            (429, &[], "{}", "rate"),
            (
                429,
                &[],
                r#"{"error":{"code":"insufficient_quota","message":"x"}}"#,
                "billing",
            ),
            (429, &[("x-should-retry", "false")], "{}", "refused"),
            (400, &[("x-should-retry", "true")], "{}", "transient"),
            (500, &[("x-should-retry", "false")], "{}", "refused"),
            (401, &[("x-should-retry", "true")], "{}", "authentication"),
            (500, &[], "{}", "transient"),
            (
                500,
                &[],
                r#"{"error":{"type":"overloaded_error"}}"#,
                "overloaded",
            ),
            (502, &[], "bad gateway", "transient"),
            (503, &[], "", "overloaded"),
            (529, &[], "{}", "overloaded"),
            (302, &[], "", "refused"),
        ];
        for (status, headers, body, expected) in cases {
            let failure = read(*status, headers, body);
            assert_eq!(
                &kind(&failure.error),
                expected,
                "{status} {headers:?} {body}"
            );
        }
    }

    #[test]
    fn waits_are_read_in_every_form() {
        let cases: &[(Headers<'_>, Option<u64>)] = &[
            (&[], None),
            (&[("retry-after", "3")], Some(3000)),
            (&[("retry-after", "0.25")], Some(250)),
            (
                &[("retry-after-ms", "1500"), ("retry-after", "9")],
                Some(1500),
            ),
            (
                &[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")],
                Some(10_000),
            ),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT")], Some(0)),
            (&[("retry-after", "-1")], Some(0)),
            (
                &[("retry-after", "1e99")],
                Some(RETRY_AFTER_MAX.as_millis() as u64),
            ),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "NaN")], None),
        ];
        for (headers, expected) in cases {
            let failure = read(529, headers, "{}");
            let expected = expected.map(Duration::from_millis);
            assert_eq!(failure.error.retry_after(), expected, "{headers:?}");
        }
        let limited = read(429, &[("retry-after", "2")], "{}");
        let wait = Some(Duration::from_secs(2));
        assert_eq!(limited.key_fault, Some(KeyFault::Limited(wait)));
    }

    #[test]
    fn errors_inside_streams_map_by_type() {
        let cases = [
            ("overloaded_error", "overloaded"),
            ("rate_limit_error", "rate"),
            ("api_error", "transient"),
            ("timeout_error", "transient"),
            ("authentication_error", "authentication"),
            ("billing_error", "billing"),
            ("invalid_request_error", "refused"),
            ("new_error", "transient"),
        ];
        for (name, expected) in cases {
            let event =
                serde_json::json!({"type": "error", "error": {"type": name, "message": "m"}});
            assert_eq!(kind(&from_stream(&event)), expected, "{name}");
        }
        let event = serde_json::json!({"error": {"message": "m", "code": 400}});
        assert_eq!(kind(&from_stream(&event)), "refused");
    }

    #[test]
    fn messages_are_bounded_single_lines() {
        let failure = read(400, &[("request-id", "req_1")], &"é\n".repeat(4000));
        let text = failure.error.to_string();
        assert!(text.len() < 2 * MESSAGE_BYTES_MAX, "{}", text.len());
        assert!(!text.contains('\n'));
    }
}
