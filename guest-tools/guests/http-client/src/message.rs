//! Requests, responses, and what goes wrong between them.

use std::io::Read;
use std::time::Duration;

use crate::address::Address;

/// Headers in order, their names as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// Adds a header.
    pub fn add(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Removes all headers of a name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    }

    /// Returns the last value of a header as text.
    pub fn get(&self, name: &str) -> Option<String> {
        self.all(name).last()
    }

    /// Returns the values of a header as text.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

/// A request without its body.
#[derive(Clone, Debug)]
pub struct Request {
    /// GET, POST, ...
    pub method: String,
    /// Where to.
    pub address: Address,
    /// Headers.
    pub headers: Headers,
    /// Longest wait for the connection.
    pub connect_timeout: Option<Duration>,
    /// Longest wait for the response to begin, and between two parts of it.
    pub timeout: Option<Duration>,
}

/// A response; its body is read as it comes.
pub struct Response {
    /// 200, ...
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// The body. Its errors hold a [`Failure`] where the peer is at fault.
    pub body: Box<dyn Read>,
}

/// Why there is no response, or no end of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The host does not let it leave.
    Denied,
    /// The name has no address.
    NameNotFound,
    /// Nobody listens there.
    Unreachable,
    /// The connection could not be secured.
    Tls(String),
    /// The wait was too long.
    TimedOut,
    /// The connection ended too early.
    Broken(String),
    /// Something else, in words.
    Other(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for std::io::Error {
    fn from(failure: Failure) -> Self {
        Self::other(failure)
    }
}

/// Sends requests. Neither follows redirects nor decodes anything.
pub trait Transport {
    /// Sends a request with a body, if it has one, and returns the response once its head is there.
    fn send(&mut self, request: &Request, body: Option<&mut dyn Read>)
    -> Result<Response, Failure>;
}

/// Returns the words that usually follow a status.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Payload Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Entity",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        511 => "Network Authentication Required",
        _ => "",
    }
}
