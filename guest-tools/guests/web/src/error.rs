//! Why a tool has no answer, as sentences for the model.

use http_client::address::Malformed;
use http_client::message::{Failure, reason};
use thiserror::Error;

/// A failure of a tool. Its text is all that the model gets.
#[derive(Debug, Error)]
pub enum Error {
    /// An argument is empty.
    #[error("{tool}: {argument} is empty")]
    Empty {
        /// The tool.
        tool: &'static str,
        /// The argument.
        argument: &'static str,
    },
    /// An argument is longer than any useful one.
    #[error("{tool}: {argument} is longer than {limit} characters")]
    TooLong {
        /// The tool.
        tool: &'static str,
        /// The argument.
        argument: &'static str,
        /// Characters.
        limit: usize,
    },
    /// The URL is none that can be asked for.
    #[error("cannot fetch {url}: {}", url_fault(.malformed))]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        malformed: Malformed,
    },
    /// There is no response, or no end of it.
    #[error("cannot fetch {url}: {}", failed(.failure, .url))]
    Failed {
        /// Where it was asked for.
        url: String,
        /// What went wrong.
        failure: Failure,
    },
    /// One redirect followed the other.
    #[error("cannot fetch {url}: more than {limit} redirects")]
    Redirects {
        /// Where it began.
        url: String,
        /// Redirects.
        limit: usize,
    },
    /// A redirect leads nowhere.
    #[error("cannot fetch {url}: it redirects to {location:?}, which is no http or https URL")]
    Location {
        /// What redirects.
        url: String,
        /// Where to.
        location: String,
    },
    /// The body is packed in a way that was not asked for.
    #[error("cannot fetch {url}: its content encoding {encoding:?} is not known")]
    Encoding {
        /// Where it was asked for.
        url: String,
        /// The encoding.
        encoding: String,
    },
    /// The body came too large.
    #[error(
        "cannot fetch {url}: it is larger than {} MiB; download it with curl in bash and look at parts of it",
        limit / (1024 * 1024)
    )]
    TooLarge {
        /// Where it was asked for.
        url: String,
        /// Bytes.
        limit: u64,
    },
    /// The body became too large when it was unpacked.
    #[error(
        "cannot fetch {url}: unpacked it is larger than {} MiB; download it with curl in bash and look at parts of it",
        limit / (1024 * 1024)
    )]
    UnpackedTooLarge {
        /// Where it was asked for.
        url: String,
        /// Bytes.
        limit: u64,
    },
    /// The server refused or failed.
    #[error("{url} answered with status {status}{}{}", spaced(reason(*.status)), paragraph(.text))]
    Status {
        /// What was asked for.
        url: String,
        /// 404, ...
        status: u16,
        /// The beginning of what it says.
        text: String,
    },
    /// The body is nothing that a model can read.
    #[error(
        "{url} is {media_type}, {size} bytes, which web_fetch cannot show; download it with curl in bash instead"
    )]
    Binary {
        /// What was asked for.
        url: String,
        /// Its media type.
        media_type: String,
        /// Its size in bytes.
        size: usize,
    },
    /// A picture or document is too large for a model.
    #[error(
        "{url} is {media_type}, {size} bytes, and only {limit} can be shown; download it with curl in bash instead"
    )]
    MediaTooLarge {
        /// What was asked for.
        url: String,
        /// Its media type.
        media_type: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The most bytes.
        limit: usize,
    },
    /// The PDF cannot be read.
    #[error("cannot read the PDF file {url}: {why}")]
    Pdf {
        /// What was asked for.
        url: String,
        /// Why.
        why: &'static str,
    },
    /// A variable of the environment, which the operator set, makes no sense.
    #[error("the web tools are not set up properly: {name} {why}")]
    Setting {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The operator chose no search provider.
    #[error("web_search is not available here: no search provider is set up")]
    NoProvider,
    /// The search provider cannot be asked.
    #[error("web_search: the search provider {provider} cannot be asked: {why}")]
    Provider {
        /// Its name.
        provider: &'static str,
        /// Why.
        why: String,
    },
}

impl Error {
    /// Returns the reason without the words that say what was fetched.
    pub fn reason(&self) -> String {
        match self {
            Self::Failed { failure, url } => failed(failure, url),
            Self::Status { status, text, .. } => format!(
                "status {status}{}{}",
                spaced(reason(*status)),
                paragraph(text)
            ),
            error => error.to_string(),
        }
    }
}

fn url_fault(malformed: &Malformed) -> String {
    match malformed {
        Malformed::Scheme(scheme) => format!("only http and https can be fetched, not {scheme}"),
        Malformed::Port => "its port is no number up to 65535".to_owned(),
        Malformed::Host => "it has no proper host name".to_owned(),
        Malformed::Character => "it has a space or a control character".to_owned(),
    }
}

fn failed(failure: &Failure, url: &str) -> String {
    let host = url.split('/').nth(2).unwrap_or(url);
    match failure {
        Failure::Denied => format!("the network policy denies requests to {host}"),
        Failure::NameNotFound => format!("the name {host} is not known"),
        Failure::Unreachable => format!("{host} cannot be reached"),
        Failure::Tls(why) => format!("no secure connection to {host} can be made: {why}"),
        Failure::TimedOut => format!("{host} did not answer in time"),
        Failure::Broken(text) | Failure::Other(text) => text.clone(),
    }
}

fn spaced(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(" {text}"),
    }
}

fn paragraph(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(":\n\n{text}"),
    }
}
