//! One attempt: a signed POST to an address that may be posted to.

use std::error::Error as _;
use std::time::Duration;

use reqwest::{Client, redirect};

use super::address::{CheckedResolver, NotPublic, UrlRules};
use super::delivery::Outcome;
use super::sign::Secret;
use crate::clock::Timestamp;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest attempt. Without it a receiver that never answers would keep one of the endpoint's few places.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// Sends webhooks. Answers are looked at no further than their status.
pub struct Sender {
    client: Client,
    rules: UrlRules,
}

impl Sender {
    /// Returns a sender that goes where `rules` allow, past any proxy: a proxy would resolve the names again.
    /// Errors: the text says why no HTTP client can be made.
    pub fn new(rules: UrlRules) -> Result<Self, reqwest::Error> {
        crate::model::install_tls();
        let client = Client::builder()
            .user_agent(concat!("sinew/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(CheckedResolver { rules })
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ATTEMPT_TIMEOUT)
            .build()?;
        Ok(Self { client, rules })
    }

    /// Makes one attempt.
    pub(super) async fn send(
        &self,
        url: &str,
        secret: &Secret,
        id: &str,
        body: String,
        now: Timestamp,
    ) -> Outcome {
        // Saved under other rules, perhaps; and a literal address never meets the resolver.
        let url = match self.rules.check(url) {
            Ok(url) => url,
            Err(refused) => return Outcome::Refused(None, refused.to_string()),
        };
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_second().to_string())
            .header("webhook-signature", secret.signature(id, now, &body))
            .body(body);
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                let code = status.as_u16();
                if status.is_success() {
                    Outcome::Acknowledged(code)
                } else if status.is_redirection() {
                    let message = format!("the endpoint answered {code}, a redirect");
                    Outcome::Refused(Some(code), message)
                } else {
                    Outcome::Failed(Some(code), format!("the endpoint answered {code}"))
                }
            }
            Err(error) => failed(error),
        }
    }
}

fn failed(error: reqwest::Error) -> Outcome {
    let mut cause = error.source();
    let mut deepest = None;
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<NotPublic>() {
            return Outcome::Refused(None, refused.to_string());
        }
        deepest = Some(inner.to_string());
        cause = inner.source();
    }
    let message = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        deepest.unwrap_or_else(|| error.without_url().to_string())
    };
    Outcome::Failed(None, message)
}
