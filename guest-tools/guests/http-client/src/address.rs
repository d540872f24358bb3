//! URLs as curl reads them: what stands there is sent, and little is made better.

/// An HTTP URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`.
    pub scheme: String,
    /// User and password, decoded.
    pub user: Option<(String, String)>,
    /// The host, an IPv6 address in brackets.
    pub host: String,
    /// The port, if it was named.
    pub port: Option<u16>,
    /// From the first slash, without fragment.
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Another scheme than HTTP's.
    Scheme(String),
    /// The number is none.
    Port,
    /// There is no host, or it cannot be one.
    Host,
    /// It has a space or a control character.
    Character,
}

impl Address {
    /// Reads a URL; without scheme it is `http`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return Err(Malformed::Character);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
            _ => ("http".to_owned(), text),
        };
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(Malformed::Scheme(scheme));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                (Some((decoded(name), decoded(password))), host)
            }
            None => (None, authority),
        };
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => match port {
                "" => (host, None),
                port => (host, Some(port.parse().map_err(|_| Malformed::Port)?)),
            },
            _ => (host, None),
        };
        let is_host =
            |b: u8| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&b) || b >= 0x80;
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err(Malformed::Host);
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        Ok(Self {
            scheme,
            user,
            host: host.to_owned(),
            port,
            path: match path {
                "" => "/".to_owned(),
                path => without_dots(&escaped(path)),
            },
            query: query.map(|query| escaped(&query)),
        })
    }

    /// Returns where a `Location` leads from here.
    pub fn join(&self, location: &str) -> Result<Self, Malformed> {
        let location = location.trim().replace(' ', "%20");
        if location
            .split_once("://")
            .is_some_and(|(s, _)| is_scheme(s))
        {
            return Self::parse(&location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme));
        }
        let base = format!("{}://{}", self.scheme, self.authority());
        let mut joined = if location.starts_with('/') {
            Self::parse(&format!("{base}{location}"))?
        } else if location.starts_with('?') {
            Self::parse(&format!("{base}{}{location}", self.path))?
        } else if location.is_empty() || location.starts_with('#') {
            let mut same = self.clone();
            same.user = None;
            same
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Self::parse(&format!("{base}{folder}/{location}"))?
        };
        joined.user = joined.user.or_else(|| self.user.clone());
        Ok(joined)
    }

    /// Returns host and port as a Host header has them.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) if port != self.default_port() => format!("{}:{port}", self.host),
            _ => self.host.clone(),
        }
    }

    fn default_port(&self) -> u16 {
        match self.scheme.as_str() {
            "https" => 443,
            _ => 80,
        }
    }

    /// Returns the port that is connected to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.default_port())
    }

    /// Tells whether another address is of the same server, to which credentials may go on.
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port() == other.port()
    }

    /// Returns what the request line has.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Returns the last part of the path, as a file would be called.
    pub fn file_name(&self) -> Option<String> {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        (!name.is_empty()).then(|| name.to_owned())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority(), self.target())
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Returns text with the bytes that no URL may have escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}') {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

/// Returns a path without `.` and `..`, as RFC 3986 removes them.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." if is_last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if is_last {
                    kept.push("");
                }
            }
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Returns text with `%XX` replaced.
pub fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
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

/// Returns bytes as a part of a query or form, as curl escapes them.
pub fn encoded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(*byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, expected) in [
            ("example.com", "http://example.com/"),
            (
                "https://example.com:443/a/../b?c#d",
                "https://example.com/b?c",
            ),
            ("HTTP://u:p%40@h:8080?x", "http://h:8080/?x"),
            ("[::1]:80/x", "http://[::1]/x"),
            ("h/a{b}|\u{e9}", "http://h/a%7Bb%7D%7C%C3%A9"),
            ("h/a/./b/..", "http://h/a/"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), expected);
        }
        assert_eq!(
            Address::parse("u:p%40@h").unwrap().user,
            Some(("u".to_owned(), "p@".to_owned()))
        );
        for (text, error) in [
            ("ftp://x", Malformed::Scheme("ftp".to_owned())),
            ("http://", Malformed::Host),
            ("http://h:99999/", Malformed::Port),
            ("http://a b/", Malformed::Character),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn locations() {
        let base = Address::parse("https://h:1/a/b?q").unwrap();
        for (location, expected) in [
            ("c", "https://h:1/a/c"),
            ("../c?d", "https://h:1/c?d"),
            ("/c", "https://h:1/c"),
            ("?d", "https://h:1/a/b?d"),
            ("//o/c", "https://o/c"),
            ("http://o/c d", "http://o/c%20d"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), expected);
        }
    }
}
