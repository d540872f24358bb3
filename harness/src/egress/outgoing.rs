//! A request on its way out: where placeholders are refused, and where they become secrets.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use hyper::body::Body as _;
use sinew_runtime::{EgressBody, EgressError};

use super::client::{Failure, collect, whole};
use super::credentials::Usable;
use super::inject::{Injection, Syntax, headers, table};
use super::policy::{Denial, Target, may_carry_secrets};
use super::rewrite;
use crate::rules::{RequestFacts, Rules, Verdict};

/// Largest body with a declared length that is gathered to put secrets into it, whose lengths differ from their
/// placeholders'. In a larger one a placeholder is an error; one without declared length has no bound.
const GATHERED_BYTES_MAX: u64 = 16 << 20;
/// Longest wait for a body that is gathered.
const GATHERED_PATIENCE: Duration = Duration::from_secs(300);
/// The ids of the credentials that were put into a request; its body may still add to them while it is sent.
pub(super) type Used = Arc<Mutex<BTreeSet<String>>>;

/// Refuses a placeholder anywhere in a URL: what stands there ends up in the logs of every server on the way.
pub(super) fn refuse_in_url(uri: &http::Uri, credentials: &[Usable]) -> Result<(), Denial> {
    if credentials.is_empty() {
        return Ok(());
    }
    let raw = uri.to_string().to_ascii_lowercase();
    let once = percent_decoded(&raw);
    let twice = percent_decoded(&once);
    let is_there = |placeholder: &str| {
        [&raw, &once, &twice]
            .iter()
            .any(|text| text.contains(placeholder))
    };
    match credentials
        .iter()
        .find(|usable| is_there(&usable.placeholder))
    {
        Some(usable) => Err(Denial::new(
            format!(
                "the URL has the placeholder of {}; its secret is put into headers and bodies, never into a URL",
                usable.name
            ),
            "",
        )),
        None => Ok(()),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        let digits = rest
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                out.push(byte.to_ascii_lowercase());
                bytes = rest.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns what rules see of a request.
pub(super) fn facts_of(target: &Target, method: &http::Method) -> RequestFacts {
    let url = &target.url;
    RequestFacts {
        scheme: url.scheme().to_owned(),
        host: target.host.clone(),
        port: target.port,
        method: method.as_str().to_owned(),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
    }
}

/// Asks the rules of the session and its agent about a request whose target was checked.
pub(super) async fn ask_rules(rules: &Arc<Rules>, facts: RequestFacts) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let rules = Arc::clone(rules);
    let ruled = tokio::task::spawn_blocking(move || rules.rule(&[facts])).await;
    let ruled = ruled.map_err(|error| Failure::Failed(EgressError::Failed(error.to_string())))?;
    match ruled.into_iter().flatten().next() {
        Some(ruling) if ruling.verdict != Verdict::Allow => {
            let mut reason = format!("the policy of this {} denies the request", ruling.owner);
            if !ruling.reason.is_empty() {
                reason.push_str(": ");
                reason.push_str(&ruling.reason);
            }
            let setting = format!("sinew.policy of the {}, rule {}", ruling.owner, ruling.rule);
            Err(Denial::new(reason, setting).into())
        }
        _ => Ok(()),
    }
}

/// Puts the secrets into a request that may have them. Returns it, and whether a secret is or may be in it.
pub(super) async fn inject(
    request: http::Request<EgressBody>,
    target: &Target,
    credentials: &[Usable],
    noted: &Used,
) -> Result<(http::Request<EgressBody>, bool), Failure> {
    let is_secure = may_carry_secrets(&target.url, target.is_granted);
    let fits = |usable: &&Usable| is_secure && usable.goes_to(&target.host);
    let injections = |is_wanted: fn(&Usable) -> bool| {
        let all = credentials.iter().enumerate();
        let all = all.filter(|(_, usable)| fits(usable) && is_wanted(usable));
        all.map(|(tag, usable)| Injection {
            placeholder: &usable.placeholder,
            secret: &usable.secret,
            tag,
        })
        .collect::<Vec<_>>()
    };
    let note = |used: &BTreeSet<usize>| {
        let ids = used.iter().filter_map(|tag| credentials.get(*tag));
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(ids.map(|usable| usable.id.clone()));
    };
    let (mut head, body) = request.into_parts();
    let in_headers = table(&injections(|usable| usable.in_header), Syntax::Plain);
    let used = headers(&mut head.headers, &in_headers)?;
    note(&used);
    let mut is_armed = !used.is_empty();
    let syntax = Syntax::of(&head.headers);
    let in_body = table(&injections(|usable| usable.in_body), syntax);
    let mut body = body;
    if !in_body.is_empty() && !body.is_end_stream() {
        match content_length(&head.headers) {
            Some(length) if length <= GATHERED_BYTES_MAX => {
                let bytes = collect(body, usize::try_from(length).unwrap_or(usize::MAX));
                let bytes = tokio::time::timeout(GATHERED_PATIENCE, bytes).await;
                let bytes = bytes.unwrap_or(Err(EgressError::Timeout));
                // What leaves is at most twice what may be gathered, or one placeholder could be written a million
                // times for a long secret.
                let bytes_max = usize::try_from(2 * GATHERED_BYTES_MAX).unwrap_or(usize::MAX);
                let put_in = in_body.whole_within(&bytes.map_err(Failure::Failed)?, bytes_max);
                let (mut bytes, used) = put_in.ok_or(Failure::Failed(EgressError::TooLarge))?;
                note(&used);
                is_armed |= !used.is_empty();
                head.headers
                    .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                body = whole(std::mem::take(&mut *bytes));
            }
            Some(_) => {
                body = rewrite::body(body, Arc::new(in_body), |_| {
                    Err(EgressError::Denied {
                        reason: format!(
                            "a placeholder stands in a body of more than {} MiB with a declared length; send it \
                             without Content-Length",
                            GATHERED_BYTES_MAX >> 20
                        ),
                    })
                });
            }
            None => {
                is_armed = true;
                let ids: Vec<String> = credentials.iter().map(|usable| usable.id.clone()).collect();
                let noted = Arc::clone(noted);
                body = rewrite::body(body, Arc::new(in_body), move |tag| {
                    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    noted.extend(ids.get(tag).cloned());
                    Ok(())
                });
            }
        }
    }
    Ok((http::Request::from_parts(head, body), is_armed))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::super::hosts::Hosts;
    use super::*;
    use crate::secrets::Secret;

    fn target(url: &str, is_granted: bool) -> Target {
        let url = Url::parse(url).unwrap();
        Target {
            host: url.host_str().unwrap().to_owned(),
            port: url.port_or_known_default().unwrap(),
            url,
            is_granted,
        }
    }

    async fn sent(secret: &str, body: String, target: &Target) -> Result<Vec<u8>, Failure> {
        let networking = json!({"type": "limited", "allowed_hosts": ["a.test"]});
        let usable = Usable {
            id: "vcrd_1".to_owned(),
            name: "TOKEN".to_owned(),
            placeholder: "placeholder".to_owned(),
            secret: Arc::new(Secret::from_text(secret.to_owned())),
            hosts: Hosts::of_networking(&networking),
            in_header: true,
            in_body: true,
        };
        let request = http::Request::post(target.url.as_str())
            .header(CONTENT_LENGTH, body.len())
            .body(whole(body))
            .unwrap();
        let (request, _) = inject(request, target, &[usable], &Used::default()).await?;
        let length = content_length(request.headers()).unwrap();
        let body = collect(request.into_body(), usize::MAX).await.unwrap();
        assert_eq!(body.len() as u64, length);
        Ok(body)
    }

    #[tokio::test]
    async fn a_secret_goes_over_tls_or_where_the_operator_says_so() {
        for (url, is_granted, gets_it) in [
            ("https://a.test/", false, true),
            ("http://a.test/", true, true),
            ("http://a.test/", false, false),
            ("https://b.test/", false, false),
        ] {
            let target = target(url, is_granted);
            let body = sent("s3cret", "a placeholder".to_owned(), &target).await;
            let expected = if gets_it { "a s3cret" } else { "a placeholder" };
            assert_eq!(body.unwrap(), expected.as_bytes(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_body_of_placeholders_does_not_become_a_flood() {
        let target = target("https://a.test/", false);
        let secret = "s".repeat(65_536);
        let flood = sent(&secret, "placeholder".repeat(100_000), &target).await;
        assert_eq!(flood, Err(Failure::Failed(EgressError::TooLarge)));
        let few = sent(&secret, "placeholder".repeat(100), &target).await;
        assert_eq!(few.unwrap().len(), 6_553_600);
    }
}
