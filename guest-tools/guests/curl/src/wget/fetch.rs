//! One file after the other.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use calendar::Zone;

use super::options::{Talk, Wanted};
use crate::cookies::Jar;
use crate::curl::{base64, file_name, malformed, set_time};
use http_client::address::Address;
use http_client::decode;
use http_client::message::{Failure, Headers, Request, Response, Transport, reason};

/// Bytes of a body handled at once.
const PART_BYTES: usize = 64 << 10;
/// Longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Why a try came to nothing.
struct Trouble {
    status: u8,
    message: String,
    may_retry: bool,
}

impl Trouble {
    fn last(status: u8, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            may_retry: false,
        }
    }
}

/// Fetches files.
pub(super) struct Fetcher {
    wanted: Wanted,
    transport: Box<dyn Transport>,
    jar: Jar,
    /// Where `-O` gathers all documents.
    document: Option<File>,
}

impl Fetcher {
    pub(super) fn new(wanted: Wanted, transport: Box<dyn Transport>) -> Self {
        let mut jar = Jar::default();
        if let Some(text) = wanted
            .load_cookies
            .as_ref()
            .and_then(|f| std::fs::read_to_string(f).ok())
        {
            jar.read(&text);
        }
        Self {
            wanted,
            transport,
            jar,
            document: None,
        }
    }

    /// Fetches all and returns the exit status: the first that is none, and the gravest of several.
    pub(super) fn run(&mut self) -> u8 {
        let mut status = 0;
        if let Some(name) = self.wanted.document.as_deref().filter(|name| *name != "-") {
            let mut how = OpenOptions::new();
            how.write(true).create(true);
            match self.wanted.is_continued {
                true => how.append(true),
                false => how.truncate(true),
            };
            match how.open(name) {
                Ok(file) => self.document = Some(file),
                Err(error) => {
                    self.say(Talk::Little, &format!("{name}: {error}\n"));
                    return 3;
                }
            }
        }
        for url in self.wanted.urls.clone() {
            if let Err(trouble) = self.with_tries(&url) {
                // The lower numbers are the graver ones, but for 1 and what a server says.
                status = match status {
                    0 => trouble,
                    own => own.min(trouble),
                };
            }
        }
        if let Some(file) = &self.wanted.save_cookies {
            let _ = std::fs::write(file, self.jar.write());
        }
        if io::stdout().flush().is_err() && status == 0 {
            return 3;
        }
        status
    }

    fn with_tries(&mut self, url: &str) -> Result<(), u8> {
        let mut tried = 1;
        loop {
            let Err(trouble) = self.fetch(url) else {
                return Ok(());
            };
            let is_last =
                !trouble.may_retry || (self.wanted.tries != 0 && tried >= self.wanted.tries);
            if !trouble.message.is_empty() {
                self.say(Talk::Little, &format!("{}\n", trouble.message));
            }
            if is_last {
                if trouble.may_retry {
                    self.say(Talk::Little, "Giving up.\n\n");
                }
                return Err(trouble.status);
            }
            self.say(Talk::All, "Retrying.\n\n");
            std::thread::sleep(Duration::from_secs(u64::from(tried)).min(WAIT_MAX));
            tried += 1;
        }
    }

    fn fetch(&mut self, url: &str) -> Result<(), Trouble> {
        let address = Address::parse(url);
        let first = address.map_err(|error| {
            let (_, text) = malformed(&error, url);
            Trouble::last(1, format!("{url}: {text}."))
        })?;
        let mut address = first.clone();
        let path = self.path_of(&first);
        if self.wanted.keeps_files && self.wanted.document.is_none() && path.exists() {
            let text = format!("File {} already there; not retrieving.\n\n", shown(&path));
            self.say(Talk::All, &text);
            return Ok(());
        }
        let kept = match self.wanted.is_continued {
            true => std::fs::metadata(&path).map_or(0, |data| data.len()),
            false => 0,
        };
        let mut method = self.wanted.method.clone();
        let mut has_body = self.wanted.body.is_some();
        let mut redirects = 0;
        loop {
            let is_home = address.is_same_origin(&first);
            let own = if self.wanted.is_spider { "HEAD" } else { "GET" };
            let request = Request {
                method: method.clone().unwrap_or_else(|| own.to_owned()),
                headers: self.headers(&address, has_body, is_home, kept, &path),
                address: address.clone(),
                connect_timeout: self.wanted.connect_timeout,
                timeout: self.wanted.read_timeout,
            };
            self.say(Talk::All, &format!("--{}--  {address}\n", now_text()));
            let body = self.wanted.body.clone().filter(|_| has_body);
            let sent = match body {
                Some(body) => {
                    let mut body = io::Cursor::new(body);
                    self.transport.send(&request, Some(&mut body))
                }
                None => self.transport.send(&request, None),
            };
            let response = sent.map_err(|failure| self.trouble(&failure, &address))?;
            let text = format!(
                "HTTP request sent, awaiting response... {} {}\n",
                response.status,
                reason(response.status)
            );
            self.say(Talk::All, &text);
            self.show_headers(&response);
            for cookie in response.headers.all("set-cookie") {
                self.jar.set(&address, &cookie);
            }
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            let location = response.headers.get("location").filter(|_| is_redirect);
            let Some(location) = location else {
                return self.receive(response, &address, path, kept);
            };
            self.say(Talk::All, &format!("Location: {location} [following]\n"));
            redirects += 1;
            if redirects > self.wanted.redirects_max {
                let max = self.wanted.redirects_max;
                return Err(Trouble::last(8, format!("{max} redirections exceeded.")));
            }
            if !matches!(response.status, 307 | 308) {
                has_body = false;
                method = method.filter(|method| method == "HEAD");
            }
            address = address
                .join(&location)
                .map_err(|_| Trouble::last(8, format!("{location}: invalid location.")))?;
        }
    }

    fn headers(
        &self,
        address: &Address,
        has_body: bool,
        is_home: bool,
        kept: u64,
        path: &Path,
    ) -> Headers {
        let wanted = &self.wanted;
        let mut headers = Headers::default();
        headers.add(
            "User-Agent",
            wanted.agent.as_deref().unwrap_or("Wget/1.25.0"),
        );
        headers.add("Accept", "*/*");
        headers.add(
            "Accept-Encoding",
            if wanted.is_compressed {
                "gzip"
            } else {
                "identity"
            },
        );
        let named = address.user.clone().filter(|_| is_home);
        let user = wanted.user.clone().filter(|_| is_home);
        let pair = user.map(|user| (user, wanted.password.clone().unwrap_or_default()));
        if let Some((user, password)) = pair.or(named) {
            let pair = base64(format!("{user}:{password}").as_bytes());
            headers.add("Authorization", format!("Basic {pair}"));
        }
        if let Some(referer) = &wanted.referer {
            headers.add("Referer", referer.as_str());
        }
        if let Some(cookies) = self.jar.header(address) {
            headers.add("Cookie", cookies);
        }
        if kept > 0 {
            headers.add("Range", format!("bytes={kept}-"));
        }
        if wanted.has_timestamps
            && let Ok(time) = std::fs::metadata(path).and_then(|data| data.modified())
        {
            let seconds = time
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs());
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            let date = calendar::format("%a, %d %b %Y %H:%M:%S GMT", &Zone::utc(), (seconds, 0));
            headers.add("If-Modified-Since", date);
        }
        if let Some(body) = wanted.body.as_ref().filter(|_| has_body) {
            headers.add("Content-Type", "application/x-www-form-urlencoded");
            headers.add("Content-Length", body.len().to_string());
        }
        for header in &wanted.headers {
            let Some((name, value)) = header.split_once(':') else {
                continue;
            };
            let lower = name.trim().to_ascii_lowercase();
            let is_secret = matches!(lower.as_str(), "authorization" | "cookie");
            let is_framing = matches!(
                lower.as_str(),
                "host" | "content-length" | "transfer-encoding" | "connection"
            );
            if is_framing || (is_secret && !is_home) {
                continue;
            }
            headers.remove(name.trim());
            headers.add(name.trim(), value.trim());
        }
        headers
    }

    fn receive(
        &mut self,
        response: Response,
        address: &Address,
        mut path: PathBuf,
        kept: u64,
    ) -> Result<(), Trouble> {
        let status = response.status;
        if status == 304 {
            let text = format!(
                "File {} not modified on server. Omitting download.\n\n",
                shown(&path)
            );
            self.say(Talk::All, &text);
            return Ok(());
        }
        if status == 416 && kept > 0 {
            self.say(
                Talk::All,
                "\n    The file is already fully retrieved; nothing to do.\n\n",
            );
            return Ok(());
        }
        let is_error = status >= 400;
        if is_error && !self.wanted.keeps_errors {
            let text = format!("{} ERROR {status}: {}.\n", now_text(), reason(status));
            return Err(Trouble {
                status: if status == 401 { 6 } else { 8 },
                message: text,
                may_retry: false,
            });
        }
        let length = response.headers.get("content-length");
        let length = length.and_then(|length| length.parse::<u64>().ok());
        let kind = response.headers.get("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().to_owned();
        let size = length.map_or("unspecified".to_owned(), |length| length.to_string());
        self.say(Talk::All, &format!("Length: {size} [{kind}]\n"));
        if self.wanted.is_spider {
            self.say(Talk::All, "Remote file exists.\n\n");
            return Ok(());
        }
        if self.wanted.takes_names
            && let Some(name) = response
                .headers
                .get("content-disposition")
                .and_then(|d| file_name(&d))
        {
            path = path.with_file_name(name);
        }
        let is_appended = kept > 0 && status == 206;
        let may_replace = is_appended || self.wanted.has_timestamps || self.wanted.is_continued;
        if self.wanted.document.is_none() && !may_replace {
            path = free(path);
        }
        let date = response.headers.get("last-modified");
        let encoding = response.headers.get("content-encoding").unwrap_or_default();
        let body = match self.wanted.is_compressed {
            true => decode::decoded(response.body, &encoding)
                .ok_or_else(|| Trouble::last(7, "Unknown content encoding."))?,
            false => response.body,
        };
        let name = self.wanted.document.clone();
        let name = name.map_or_else(
            || shown(&path),
            |name| match name.as_str() {
                "-" => "\u{2018}STDOUT\u{2019}".to_owned(),
                name => shown(Path::new(name)),
            },
        );
        self.say(Talk::All, &format!("Saving to: {name}\n\n"));
        let start = Instant::now();
        let read = self.save(body, &path, is_appended)?;
        let speed = read as f64 / start.elapsed().as_secs_f64().max(1e-6);
        let total = length.filter(|_| !self.wanted.is_compressed);
        if total.is_some_and(|total| read < total) {
            return Err(Trouble {
                status: 4,
                message: format!("{} - Connection closed at byte {read}.", now_text()),
                may_retry: true,
            });
        }
        let of = total.map_or_else(|| read.to_string(), |total| format!("{read}/{total}"));
        let text = format!("{} ({}) - {name} saved [{of}]\n\n", now_text(), rate(speed));
        match self.wanted.talk {
            Talk::Little => {
                let text = format!(
                    "{} URL:{address} [{of}] -> \"{}\" [1]\n",
                    now_text(),
                    name.trim_matches(['\u{2018}', '\u{2019}'])
                );
                self.say(Talk::Little, &text);
            }
            _ => self.say(Talk::All, &text),
        }
        if let Some(date) = date.filter(|_| self.wanted.document.is_none()) {
            set_time(&path, &date);
        }
        match is_error {
            true => Err(Trouble::last(8, "")),
            false => Ok(()),
        }
    }

    fn save(
        &mut self,
        mut body: Box<dyn Read>,
        path: &Path,
        is_appended: bool,
    ) -> Result<u64, Trouble> {
        let mut own: Box<dyn Write>;
        let target: &mut dyn Write = match &mut self.document {
            Some(document) => document,
            None => {
                own = match self.wanted.document.as_deref() {
                    Some("-") => Box::new(io::stdout()),
                    _ => Box::new(opened(path, self.wanted.prefix.as_deref(), is_appended)?),
                };
                &mut own
            }
        };
        let mut part = vec![0; PART_BYTES];
        let mut all = 0;
        loop {
            let read = match body.read(&mut part) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Trouble {
                        status: 4,
                        message: format!("{} - Read error at byte {all} ({error}).", now_text()),
                        may_retry: true,
                    });
                }
            };
            all += read as u64;
            let written = target.write_all(part.get(..read).unwrap_or_default());
            written.map_err(|error| Trouble::last(3, format!("Cannot write ({error}).")))?;
        }
        Ok(all)
    }

    fn path_of(&self, address: &Address) -> PathBuf {
        let name = address
            .file_name()
            .unwrap_or_else(|| "index.html".to_owned());
        let name = match &address.query {
            Some(query) => format!("{name}?{query}").replace('/', "%2F"),
            None => name,
        };
        match (&self.wanted.document, &self.wanted.prefix) {
            (Some(document), _) => PathBuf::from(document),
            (None, Some(prefix)) => Path::new(prefix).join(name),
            (None, None) => PathBuf::from(name),
        }
    }

    fn trouble(&self, failure: &Failure, address: &Address) -> Trouble {
        let host = &address.host;
        let (status, message, may_retry) = match failure {
            Failure::Denied => (
                4,
                format!("Connecting to {host}... failed: the sandbox's network policy denies it."),
                false,
            ),
            Failure::NameNotFound => (
                4,
                format!("wget: unable to resolve host address \u{2018}{host}\u{2019}"),
                false,
            ),
            Failure::Unreachable => (
                4,
                format!(
                    "Connecting to {host}:{}... failed: Connection refused.",
                    address.port()
                ),
                self.wanted.retries_refused,
            ),
            Failure::Tls(_) => (5, "Unable to establish SSL connection.".to_owned(), false),
            Failure::TimedOut => (
                4,
                "Read error (Connection timed out) in headers.".to_owned(),
                true,
            ),
            Failure::Broken(text) => (4, format!("Read error ({text}) in headers."), true),
            Failure::Other(text) => (4, format!("failed: {text}."), false),
        };
        Trouble {
            status,
            message,
            may_retry,
        }
    }

    fn show_headers(&self, response: &Response) {
        if !self.wanted.shows_headers {
            return;
        }
        let mut text = format!(
            "  HTTP/1.1 {} {}\n",
            response.status,
            reason(response.status)
        );
        for (name, value) in &response.headers.0 {
            text.push_str(&format!("  {name}: {}\n", String::from_utf8_lossy(value)));
        }
        self.say(Talk::Little, &text);
    }

    /// Says something, if so much is to be said.
    fn say(&self, from: Talk, text: &str) {
        let is_said = match self.wanted.talk {
            Talk::Nothing => false,
            Talk::Little => from == Talk::Little,
            Talk::All => true,
        };
        if !is_said {
            return;
        }
        let _ = match &self.wanted.log {
            None => io::stderr().write_all(text.as_bytes()),
            Some(log) => {
                let opened = OpenOptions::new().create(true).append(true).open(log);
                opened.and_then(|mut file| file.write_all(text.as_bytes()))
            }
        };
    }
}

fn opened(path: &Path, prefix: Option<&str>, is_appended: bool) -> Result<File, Trouble> {
    if let Some(folder) = prefix {
        let _ = std::fs::create_dir_all(folder);
    }
    let mut how = OpenOptions::new();
    match is_appended {
        true => how.append(true),
        false => how.write(true).create(true).truncate(true),
    };
    let opened = how.open(path);
    opened.map_err(|error| Trouble::last(3, format!("{}: {error}", path.display())))
}

/// Returns the name, or the first of `name.1`, `name.2`, ... that nothing has.
fn free(path: PathBuf) -> PathBuf {
    if !path.exists() {
        return path;
    }
    let with = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    (1..u32::MAX)
        .map(with)
        .find(|path| !path.exists())
        .unwrap_or(path)
}

fn shown(path: &Path) -> String {
    format!("\u{2018}{}\u{2019}", path.display())
}

fn rate(bytes: f64) -> String {
    match bytes {
        b if b >= 1e9 => format!("{:.2} GB/s", b / 1e9),
        b if b >= 1e6 => format!("{:.2} MB/s", b / 1e6),
        b if b >= 1e3 => format!("{:.1} KB/s", b / 1e3),
        b => format!("{b:.0} B/s"),
    }
}

fn now_text() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    });
    calendar::format("%Y-%m-%d %H:%M:%S", &Zone::from_environment(), (seconds, 0))
}
