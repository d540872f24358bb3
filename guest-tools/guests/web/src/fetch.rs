//! `web_fetch`: what a URL holds, in a form that a model can read.

use http_client::address::{Address, Malformed};
use http_client::message::{Headers, Transport};

use crate::charset;
use crate::client::{self, Fetched};
use crate::content::{Content, DOCUMENT_BYTES_MAX, IMAGE_BYTES_MAX};
use crate::cut::cut;
use crate::error::Error;
use crate::feed;
use crate::html;
use crate::kind::{self, Kind};
use crate::pdf;
use crate::settings::Settings;

/// The longest URL, in characters, as browsers and servers take at least.
const URL_CHARACTERS_MAX: usize = 8_192;
/// How much is shown of what comes with an error, in characters.
const ERROR_CHARACTERS_MAX: usize = 2_000;
/// How much of a body that comes with an error is looked at, in bytes.
const ERROR_BYTES_MAX: usize = 256 * 1024;
/// What is best understood.
const ACCEPT: &str =
    "text/markdown, text/html, application/xhtml+xml;q=0.9, application/json;q=0.8, */*;q=0.7";
/// Who asks.
pub const USER_AGENT: &str = concat!("sinew/", env!("CARGO_PKG_VERSION"), " (agent web_fetch)");
/// What stands for no text, since a model request takes no empty block.
const EMPTY: &str = "(no output)";

const TOOL: &str = "web_fetch";

/// Fetches `url` and returns what it holds.
pub fn fetch(
    transport: &mut dyn Transport,
    settings: &Settings,
    url: &str,
) -> Result<Content, Error> {
    let address = address(url)?;
    let mut headers = Headers::default();
    headers.add("Accept", ACCEPT);
    headers.add("User-Agent", USER_AGENT);
    let fetched = client::get(transport, &address, &headers)?;
    let kind = kind::of(&fetched);
    let url = fetched.address.to_string();
    if fetched.status >= 400 {
        return Err(Error::Status {
            url,
            status: fetched.status,
            text: cut(error_text(&fetched, kind), ERROR_CHARACTERS_MAX),
        });
    }
    let text = match kind {
        Kind::Image(media_type) => {
            check_size(&url, media_type, fetched.body.len(), IMAGE_BYTES_MAX)?;
            return Ok(Content::Image(media_type, fetched.body));
        }
        Kind::Pdf => match pdf::text(&fetched.body, settings.characters_max) {
            Ok(Some(text)) => text,
            Ok(None) => {
                let size = fetched.body.len();
                check_size(&url, pdf::MEDIA_TYPE, size, DOCUMENT_BYTES_MAX)?;
                return Ok(Content::Document(pdf::MEDIA_TYPE, fetched.body));
            }
            Err(why) => return Err(Error::Pdf { url, why }),
        },
        Kind::Binary => {
            return Err(Error::Binary {
                url,
                media_type: match fetched.media_type.as_str() {
                    "" => "of no known type".to_owned(),
                    media_type => media_type.chars().take(100).collect(),
                },
                size: fetched.body.len(),
            });
        }
        kind => readable(&fetched, kind),
    };
    let text = match fetched.is_redirected {
        true => below_title(&text, &format!("URL: {url}")),
        false => text,
    };
    let text = cut(text, settings.characters_max);
    Ok(Content::Text(match text.trim().is_empty() {
        true => EMPTY.to_owned(),
        false => text,
    }))
}

/// Reads the argument; a URL without scheme gets the one that most servers answer to.
fn address(url: &str) -> Result<Address, Error> {
    let url = url.trim();
    if url.is_empty() {
        return Err(Error::Empty {
            tool: TOOL,
            argument: "url",
        });
    }
    if url.chars().nth(URL_CHARACTERS_MAX).is_some() {
        return Err(Error::TooLong {
            tool: TOOL,
            argument: "url",
            limit: URL_CHARACTERS_MAX,
        });
    }
    let malformed = |malformed| Error::Url {
        url: url.to_owned(),
        malformed,
    };
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let has_scheme = url
        .split_once("://")
        .is_some_and(|(scheme, _)| is_scheme(scheme));
    // `host:80` has no scheme, but `mailto:a@b.example` must not become a host.
    let first = url.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((scheme, rest)) = first.split_once(':')
        && !has_scheme
        && is_scheme(scheme)
        && !rest.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(malformed(Malformed::Scheme(scheme.to_ascii_lowercase())));
    }
    let address = match has_scheme {
        true => Address::parse(url),
        false => Address::parse(&format!("https://{url}")),
    };
    let mut address = address.map_err(malformed)?;
    // Credentials in a URL are nothing that a model should send.
    address.user = None;
    Ok(address)
}

/// Returns the text of a body that is text.
fn readable(fetched: &Fetched, kind: Kind) -> String {
    let charset = fetched.charset.as_deref();
    let has_head = matches!(kind, Kind::Html | Kind::Xml);
    let text = charset::decoded(&fetched.body, charset, has_head);
    match kind {
        Kind::Html => html::markdown(&text, &fetched.address),
        Kind::Xml => feed::from_xml(&text, &fetched.address).unwrap_or(text),
        Kind::Json => feed::from_json(&text).unwrap_or(text),
        _ => text,
    }
}

/// Returns what a server says beside an error status.
fn error_text(fetched: &Fetched, kind: Kind) -> String {
    if !matches!(kind, Kind::Html | Kind::Xml | Kind::Json | Kind::Text) {
        return String::new();
    }
    let body = &fetched.body;
    let text = charset::decoded(
        body.get(..ERROR_BYTES_MAX).unwrap_or(body),
        fetched.charset.as_deref(),
        true,
    );
    match kind {
        Kind::Html => html::markdown(&text, &fetched.address),
        _ => text,
    }
    .trim()
    .to_owned()
}

/// Puts a line where a reader looks for it: below the title, if the text begins with one.
fn below_title(text: &str, line: &str) -> String {
    match text.split_once('\n') {
        Some((title, rest)) if title.starts_with("# ") => {
            format!("{title}\n\n{line}\n\n{}", rest.trim_start_matches('\n'))
        }
        _ => format!("{line}\n\n{text}"),
    }
}

fn check_size(url: &str, media_type: &'static str, size: usize, limit: usize) -> Result<(), Error> {
    match size <= limit {
        true => Ok(()),
        false => Err(Error::MediaTooLarge {
            url: url.to_owned(),
            media_type,
            size,
            limit,
        }),
    }
}

#[cfg(test)]
mod tests;
