//! Requests with redirects followed and everything bounded.
//!
//! Each hop of a redirect is a request of its own, so the host decides about each.

use std::io::{self, Read};

use http_client::address::Address;
use http_client::decode;
use http_client::message::{Failure, Headers, Request, Transport};

use crate::error::Error;

/// Redirects followed, as other clients do at least.
pub const REDIRECTS_MAX: usize = 10;
/// The largest body as it comes, in bytes. A larger one would fill the component's memory.
pub const RECEIVED_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The largest body unpacked, in bytes. Without it some kilobytes could become gigabytes.
pub const UNPACKED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A whole response.
#[derive(Debug)]
pub struct Fetched {
    /// Where it came from in the end.
    pub address: Address,
    /// Whether that is elsewhere than was asked for.
    pub is_redirected: bool,
    /// 200, ...
    pub status: u16,
    /// In lower case, without parameters; empty if the server does not say.
    pub media_type: String,
    /// The encoding of text that the server names.
    pub charset: Option<String>,
    /// The body, unpacked.
    pub body: Vec<u8>,
}

/// Gets what is at an address, wherever it has moved.
pub fn get(
    transport: &mut dyn Transport,
    start: &Address,
    headers: &Headers,
) -> Result<Fetched, Error> {
    let mut address = start.clone();
    for _ in 0..=REDIRECTS_MAX {
        match send(transport, "GET", &address, headers, None)? {
            Sent::Whole(mut fetched) => {
                fetched.is_redirected = fetched.address != *start;
                return Ok(*fetched);
            }
            Sent::Moved(location) => {
                let next = address.join(&location);
                address = next.map_err(|_| Error::Location {
                    url: address.to_string(),
                    location: location.chars().take(200).collect(),
                })?;
                // Nobody's password goes where a stranger points.
                address.user = None;
            }
        }
    }
    Err(Error::Redirects {
        url: start.to_string(),
        limit: REDIRECTS_MAX,
    })
}

/// Sends one request whose answer is taken as it is, since a key goes with it.
pub fn ask(
    transport: &mut dyn Transport,
    method: &str,
    address: &Address,
    headers: &Headers,
    body: Option<&[u8]>,
) -> Result<Fetched, Error> {
    match send(transport, method, address, headers, body)? {
        Sent::Whole(fetched) => Ok(*fetched),
        Sent::Moved(location) => Err(Error::Failed {
            url: address.to_string(),
            failure: Failure::Other(format!(
                "it redirects to {}, which is not followed",
                location.chars().take(200).collect::<String>()
            )),
        }),
    }
}

enum Sent {
    Whole(Box<Fetched>),
    Moved(String),
}

fn send(
    transport: &mut dyn Transport,
    method: &str,
    address: &Address,
    headers: &Headers,
    body: Option<&[u8]>,
) -> Result<Sent, Error> {
    let url = address.to_string();
    let failed = |failure| Error::Failed {
        url: url.clone(),
        failure,
    };
    let mut headers = headers.clone();
    headers.add("Accept-Encoding", decode::ENCODINGS);
    if let Some(body) = body {
        headers.add("Content-Length", body.len().to_string());
    }
    let request = Request {
        method: method.to_owned(),
        address: address.clone(),
        headers,
        connect_timeout: None,
        timeout: None,
    };
    let mut body = body;
    let body = body.as_mut().map(|body| body as &mut dyn Read);
    let response = transport.send(&request, body).map_err(failed)?;
    if matches!(response.status, 301 | 302 | 303 | 307 | 308)
        && let Some(location) = response.headers.get("location")
    {
        return Ok(Sent::Moved(location));
    }
    let encoding = response.headers.get("content-encoding").unwrap_or_default();
    let received = Limited {
        inner: response.body,
        left: RECEIVED_BYTES_MAX,
    };
    let unpacked = decode::decoded(Box::new(received), &encoding);
    let unpacked = unpacked.ok_or_else(|| Error::Encoding {
        url: url.clone(),
        encoding: encoding.chars().take(100).collect(),
    })?;
    let mut whole = Vec::new();
    let read = unpacked
        .take(UNPACKED_BYTES_MAX + 1)
        .read_to_end(&mut whole);
    read.map_err(|error| unreadable(&error, &url))?;
    if whole.len() as u64 > UNPACKED_BYTES_MAX {
        return Err(Error::UnpackedTooLarge {
            url,
            limit: UNPACKED_BYTES_MAX,
        });
    }
    let content_type = response.headers.get("content-type").unwrap_or_default();
    let mut parts = content_type.split(';');
    let media_type = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    Ok(Sent::Whole(Box::new(Fetched {
        address: address.clone(),
        is_redirected: false,
        status: response.status,
        media_type,
        charset,
        body: whole,
    })))
}

fn unreadable(error: &io::Error, url: &str) -> Error {
    let url = url.to_owned();
    let cause = error.get_ref();
    if cause.is_some_and(|cause| cause.is::<TooMuch>()) {
        return Error::TooLarge {
            url,
            limit: RECEIVED_BYTES_MAX,
        };
    }
    let failure = cause.and_then(|cause| cause.downcast_ref::<Failure>());
    let failure = failure.cloned();
    Error::Failed {
        url,
        failure: failure.unwrap_or_else(|| Failure::Broken(format!("the body is broken: {error}"))),
    }
}

/// A body that fails, rather than ends, where it becomes too large.
struct Limited {
    inner: Box<dyn Read>,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the body is too large")]
struct TooMuch;

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = (self.left)
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(TooMuch))?;
        Ok(read)
    }
}
