//! One URL after the other: the request, what follows a redirect, another try, and what comes of it.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::config::{Config, Target};

use super::sink::Sink;
use super::write_out;
use crate::cookies::Jar;
use http_client::address::{Address, Malformed};
use http_client::decode;
use http_client::message::{Failure, Headers, Request, Response, Transport, reason};

/// Redirects followed without another word.
const REDIRECTS_MAX: u32 = 50;
/// Longest wait between two tries, and the first one.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(600);
const RETRY_WAIT: Duration = Duration::from_secs(1);
/// Bytes of a body handled at once.
const PART_BYTES: usize = 64 << 10;

/// What a transfer came to.
#[derive(Default)]
pub(super) struct Outcome {
    /// Exit status.
    pub(super) status: u8,
    pub(super) message: Option<String>,
    pub(super) code: u16,
    pub(super) headers: Headers,
    pub(super) header_bytes: usize,
    pub(super) downloaded: u64,
    pub(super) uploaded: u64,
    pub(super) redirects: u32,
    pub(super) retries: u32,
    pub(super) redirect_url: Option<String>,
    pub(super) url: String,
    pub(super) effective: String,
    pub(super) method: String,
    pub(super) file: Option<String>,
    pub(super) total: Duration,
    pub(super) first_byte: Duration,
    pub(super) is_transient: bool,
    pub(super) retry_after: Option<Duration>,
}

impl Outcome {
    fn fail(&mut self, status: u8, message: impl Into<String>) {
        self.status = status;
        self.message = Some(message.into());
    }
}

/// What lasts from one URL to the next.
pub(super) struct Session {
    transport: Box<dyn Transport>,
    jar: Jar,
}

impl Session {
    pub(super) fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            jar: Jar::default(),
        }
    }

    /// Transfers every URL of a group and returns the last exit status.
    pub(super) fn run(&mut self, config: &Config) -> u8 {
        for cookie in config.cookies.iter().filter(|cookie| !cookie.contains('=')) {
            // A file that is not there only turns the jar on.
            if let Ok(bytes) = super::data::read(cookie) {
                self.jar.read(&String::from_utf8_lossy(&bytes));
            }
        }
        let mut status = 0;
        for (number, url) in config.urls.iter().enumerate() {
            let default = match config.is("remote-name-all") {
                true => Target::RemoteName,
                false => Target::Stdout,
            };
            let target = config.targets.get(number).unwrap_or(&default);
            let outcome = self.with_retries(config, url, target);
            if let Some(message) = &outcome.message
                && (!config.is("silent") || config.is("show-error"))
            {
                say(config, &format!("curl: ({}) {message}\n", outcome.status));
            }
            if let Some(format) = &config.write_out {
                let (stdout, stderr) = write_out::text(format, &outcome);
                let _ = io::stdout().write_all(stdout.as_bytes());
                say(config, &stderr);
            }
            status = outcome.status;
            if status != 0 && config.is("fail-early") {
                break;
            }
        }
        if io::stdout().flush().is_err() && status == 0 {
            status = 23;
        }
        if let Some(file) = &config.cookie_jar {
            let text = self.jar.write();
            let written = match file.as_str() {
                "-" => io::stdout().write_all(text.as_bytes()),
                file => std::fs::write(file, text),
            };
            if written.is_err() {
                say(
                    config,
                    &format!("curl: WARNING: failed to save cookies in {file}\n"),
                );
            }
        }
        status
    }

    fn with_retries(&mut self, config: &Config, url: &str, target: &Target) -> Outcome {
        let start = Instant::now();
        let mut wait = config.retry_delay.unwrap_or(RETRY_WAIT);
        let mut retries = 0;
        loop {
            let mut outcome = Outcome {
                url: url.to_owned(),
                effective: url.to_owned(),
                retries,
                ..Outcome::default()
            };
            self.transfer(config, url, target, &mut outcome);
            let is_over = config
                .retry_max_time
                .is_some_and(|max| start.elapsed() + wait > max);
            let is_wanted = outcome.is_transient
                || (config.is("retry-all-errors") && outcome.status != 0)
                || (config.is("retry-connrefused") && outcome.status == 7);
            if retries >= config.retries || is_over || !is_wanted {
                return outcome;
            }
            retries += 1;
            let pause = outcome.retry_after.unwrap_or(wait).min(RETRY_WAIT_MAX);
            if !config.is("silent") {
                let left = config.retries - retries + 1;
                say(
                    config,
                    &format!(
                        "Warning: Problem: {}. Will retry in {} second{}. {left} retr{} left.\n",
                        outcome
                            .message
                            .as_deref()
                            .unwrap_or("(retrying all errors)"),
                        pause.as_secs(),
                        if pause.as_secs() == 1 { "" } else { "s" },
                        if left == 1 { "y" } else { "ies" },
                    ),
                );
            }
            std::thread::sleep(pause);
            if config.retry_delay.is_none() {
                wait = wait.saturating_mul(2).min(RETRY_WAIT_MAX);
            }
        }
    }

    fn transfer(&mut self, config: &Config, url: &str, target: &Target, outcome: &mut Outcome) {
        let start = Instant::now();
        let address = match Address::parse(url) {
            Ok(address) => with_query(address, &config.query),
            Err(error) => {
                let (status, message) = malformed(&error, url);
                return outcome.fail(status, message);
            }
        };
        let host = config
            .headers
            .iter()
            .filter_map(|header| header.split_once(':'));
        let mut host = host.filter(|(name, _)| name.trim().eq_ignore_ascii_case("host"));
        if let Some((_, host)) = host.next_back()
            && host.trim() != address.authority()
        {
            say(
                config,
                "Warning: the Host header follows from the URL here; another one is not sent\n",
            );
        }
        let mut sink = match Sink::of(config, target, &address) {
            Ok(sink) => sink,
            Err((status, message)) => return outcome.fail(status, message),
        };
        if config.is("skip-existing") && sink.path().is_some_and(std::path::Path::exists) {
            return;
        }
        self.follow(config, address, &mut sink, outcome, start);
        outcome.total = start.elapsed();
        outcome.file = sink.path().map(|path| path.display().to_string());
        if outcome.status != 0 && config.is("remove-on-error") {
            sink.remove();
        }
    }

    fn follow(
        &mut self,
        config: &Config,
        first: Address,
        sink: &mut Sink,
        outcome: &mut Outcome,
        start: Instant,
    ) {
        let mut address = first.clone();
        let mut method = method_of(config);
        let mut has_body = config.body.is_some();
        let resume = match config.continue_at.as_deref() {
            None => 0,
            Some("-") if config.is("upload") => 0,
            Some("-") => sink.resume(),
            Some(offset) => {
                sink.resume();
                offset.parse().unwrap_or(0)
            }
        };
        loop {
            let is_home = address.is_same_origin(&first) || config.is("location-trusted");
            let headers = self.headers(config, &address, &method, has_body, is_home, resume);
            outcome.effective = address.to_string();
            outcome.method = method.clone();
            let left = match config.max_time {
                None => None,
                Some(max) => match max.checked_sub(start.elapsed()) {
                    Some(left) if !left.is_zero() => Some(left),
                    _ => return timed_out(outcome, start),
                },
            };
            let request = Request {
                method: method.clone(),
                address: address.clone(),
                headers,
                connect_timeout: config.connect_timeout,
                timeout: left,
            };
            narrate_request(config, &request);
            let response = self.send(config, &request, has_body, resume, outcome);
            let response = match response {
                Ok(response) => response,
                Err(error) => return failed(outcome, &error, &address, start),
            };
            outcome.first_byte = start.elapsed();
            outcome.code = response.status;
            outcome.headers = response.headers.clone();
            for cookie in response
                .headers
                .all("set-cookie")
                .filter(|_| config.has_jar())
            {
                self.jar.set(&address, &cookie);
            }
            narrate_response(config, &response);
            let location = response.headers.get("location");
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            let next = location.filter(|_| is_redirect).map(|to| address.join(&to));
            let head = head_of(&response);
            outcome.header_bytes += head.len();
            if let Err(error) = show_head(config, sink, &head) {
                return outcome.fail(
                    23,
                    format!("Failure writing output to destination: {error}"),
                );
            }
            let next = match next {
                Some(Ok(next)) if config.is("location") => next,
                Some(Err(error)) if config.is("location") => {
                    let (status, message) = malformed(&error, "");
                    return outcome.fail(status, message);
                }
                next => {
                    outcome.redirect_url = next.and_then(Result::ok).map(|next| next.to_string());
                    return receive(config, response, sink, outcome, start, resume);
                }
            };
            if outcome.redirects >= config.max_redirects.unwrap_or(REDIRECTS_MAX) {
                let max = config.max_redirects.unwrap_or(REDIRECTS_MAX);
                return outcome.fail(47, format!("Maximum ({max}) redirects followed"));
            }
            outcome.redirects += 1;
            // As browsers do: a POST that was moved becomes a GET, unless the status says that it must not.
            let is_kept = match response.status {
                301 => config.is("post301"),
                302 => config.is("post302"),
                303 => config.is("post303"),
                _ => true,
            };
            let becomes_get = match response.status {
                303 => method != "HEAD",
                _ => method == "POST",
            };
            if !is_kept && becomes_get {
                has_body = false;
                if config.method.is_none() {
                    method = "GET".to_owned();
                }
            }
            address = next;
        }
    }

    fn send(
        &mut self,
        config: &Config,
        request: &Request,
        has_body: bool,
        resume: u64,
        outcome: &mut Outcome,
    ) -> Result<Response, Failure> {
        let Some(body) = config.body.as_ref().filter(|_| has_body) else {
            return self.transport.send(request, None);
        };
        let from = if config.is("upload") { resume } else { 0 };
        let opened = body.open(from);
        let opened = opened.map_err(|error| Failure::Other(error.to_string()))?;
        let mut counted = Counted {
            inner: opened,
            bytes: 0,
        };
        let response = self.transport.send(request, Some(&mut counted));
        outcome.uploaded = counted.bytes;
        response
    }

    fn headers(
        &self,
        config: &Config,
        address: &Address,
        method: &str,
        has_body: bool,
        is_home: bool,
        resume: u64,
    ) -> Headers {
        let mut headers = Headers::default();
        let user = match (&config.user, &address.user) {
            (Some(user), _) if is_home => Some(user.clone()),
            (None, Some((name, password))) => Some(format!("{name}:{password}")),
            _ => None,
        };
        if let Some(user) = user {
            let pair = if user.contains(':') {
                user
            } else {
                format!("{user}:")
            };
            headers.add(
                "Authorization",
                format!("Basic {}", base64(pair.as_bytes())),
            );
        } else if let Some(token) = config.bearer.as_ref().filter(|_| is_home) {
            headers.add("Authorization", format!("Bearer {token}"));
        }
        match config.user_agent.as_deref() {
            Some("") => {}
            agent => headers.add("User-Agent", agent.unwrap_or("curl/8.14.1")),
        }
        headers.add("Accept", config.accept.as_deref().unwrap_or("*/*"));
        if config.is("compressed") {
            headers.add("Accept-Encoding", decode::ENCODINGS);
        }
        if let Some(referer) = config
            .referer
            .as_deref()
            .map(|r| r.trim_end_matches(";auto"))
        {
            headers.add("Referer", referer);
        }
        let given = config.cookies.iter().filter(|cookie| cookie.contains('='));
        let given = given.filter(|_| is_home).cloned();
        let cookies: Vec<String> = self.jar.header(address).into_iter().chain(given).collect();
        if !cookies.is_empty() {
            headers.add("Cookie", cookies.join("; "));
        }
        if let Some(range) = &config.range {
            headers.add("Range", format!("bytes={range}"));
        } else if resume > 0 && !config.is("upload") {
            headers.add("Range", format!("bytes={resume}-"));
        }
        if let Some(body) = config.body.as_ref().filter(|_| has_body) {
            if let Some(length) = body.length() {
                let length = match config.is("upload") {
                    true => length.saturating_sub(resume),
                    false => length,
                };
                headers.add("Content-Length", length.to_string());
            }
            if let Some(kind) = &config.content_type {
                headers.add("Content-Type", kind.as_str());
            }
        } else if matches!(method, "POST" | "PUT") {
            headers.add("Content-Length", "0");
        }
        for header in &config.headers {
            add_custom(&mut headers, header, is_home);
        }
        headers
    }
}

/// Headers that follow from the request or are the connection's: what `-H` says of them is left out.
const FRAMING: [&str; 10] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Adds what `-H` gives: `Name: value`, `Name:` to leave one out, `Name;` for an empty one.
fn add_custom(headers: &mut Headers, header: &str, is_home: bool) {
    if let Some(name) = header
        .trim_end()
        .strip_suffix(';')
        .filter(|name| !name.contains(':'))
    {
        headers.remove(name);
        headers.add(name, "");
        return;
    }
    let Some((name, value)) = header.split_once(':') else {
        return;
    };
    let name = name.trim();
    let is_secret = ["authorization", "cookie"].contains(&name.to_ascii_lowercase().as_str());
    if FRAMING.contains(&name.to_ascii_lowercase().as_str()) || (is_secret && !is_home) {
        return;
    }
    if name.eq_ignore_ascii_case("content-length") && !value.trim().is_empty() {
        return;
    }
    let own = [
        "user-agent",
        "accept",
        "content-type",
        "authorization",
        "accept-encoding",
        "referer",
    ];
    if value.trim().is_empty() || own.contains(&name.to_ascii_lowercase().as_str()) {
        headers.remove(name);
    }
    if !value.trim().is_empty() {
        headers.add(name, value.trim());
    }
}

fn method_of(config: &Config) -> String {
    if let Some(method) = &config.method {
        return method.clone();
    }
    let method = match (
        config.is("head"),
        config.is("upload"),
        config.body.is_some(),
    ) {
        (true, ..) => "HEAD",
        (_, true, _) => "PUT",
        (_, _, true) => "POST",
        _ => "GET",
    };
    method.to_owned()
}

fn with_query(mut address: Address, added: &[String]) -> Address {
    for part in added.iter().filter(|part| !part.is_empty()) {
        address.query = Some(match address.query.take() {
            Some(query) if !query.is_empty() => format!("{query}&{part}"),
            _ => part.clone(),
        });
    }
    address
}

/// Reads the body of the last response.
fn receive(
    config: &Config,
    response: Response,
    sink: &mut Sink,
    outcome: &mut Outcome,
    start: Instant,
    resume: u64,
) {
    let code = response.status;
    outcome.is_transient = matches!(code, 408 | 429 | 500 | 502 | 503 | 504);
    outcome.retry_after = response
        .headers
        .get("retry-after")
        .and_then(|text| text.parse().ok())
        .map(Duration::from_secs);
    let is_failure = code >= 400 && (config.is("fail") || config.is("fail-with-body"));
    if is_failure {
        outcome.fail(22, format!("The requested URL returned error: {code}"));
        if !config.is("fail-with-body") {
            return;
        }
    }
    if resume > 0 && !config.is("upload") {
        match code {
            206 => {}
            // All of it is there.
            416 => return,
            200..=299 => {
                let text = "HTTP server does not seem to support byte ranges. Cannot resume.";
                return outcome.fail(33, text);
            }
            _ => sink.begin_anew(),
        }
    }
    if config.is("remote-header-name") {
        sink.rename(&response.headers);
    }
    let date = response.headers.get("last-modified");
    let length = response
        .headers
        .get("content-length")
        .and_then(|l| l.parse::<u64>().ok());
    let is_too_large = |bytes: u64| {
        config
            .max_file_size
            .is_some_and(|max| max > 0 && bytes > max)
    };
    if length.is_some_and(is_too_large) {
        return outcome.fail(63, "Maximum file size exceeded");
    }
    let encoding = response.headers.get("content-encoding").unwrap_or_default();
    let mut body = response.body;
    if config.is("compressed") {
        match decode::decoded(body, &encoding) {
            Some(decoded) => body = decoded,
            None => return outcome.fail(61, "Unrecognized content encoding type"),
        }
    }
    if let Err(error) = sink.open(config.is("create-dirs")) {
        let path = sink
            .path()
            .map(|p| p.display().to_string())
            .unwrap_or_default();
        say(
            config,
            &format!("Warning: Failed to open the file {path}: {error}\n"),
        );
        return outcome.fail(23, "client returned ERROR on write, 0 bytes dropped");
    }
    let mut part = vec![0; PART_BYTES];
    loop {
        if config.max_time.is_some_and(|max| start.elapsed() >= max) {
            return timed_out(outcome, start);
        }
        let read = match body.read(&mut part) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return broken(outcome, &error, config, start),
        };
        outcome.downloaded += read as u64;
        if is_too_large(outcome.downloaded) {
            return outcome.fail(63, "Maximum file size exceeded");
        }
        if sink
            .write_all(part.get(..read).unwrap_or_default())
            .is_err()
        {
            return outcome.fail(23, "Failure writing output to destination");
        }
        if config.is("no-buffer") {
            let _ = sink.flush();
        }
    }
    if sink.flush().is_err() {
        return outcome.fail(23, "Failure writing output to destination");
    }
    if config.is("remote-time")
        && let (Some(path), Some(date)) = (sink.path(), date)
    {
        set_time(path, &date);
    }
}

/// Gives a file the time that a server told.
pub(crate) fn set_time(path: &std::path::Path, date: &str) {
    let Some((seconds, _)) = calendar::parse(date, (0, 0), &calendar::Zone::utc()) else {
        return;
    };
    let Ok(seconds) = u64::try_from(seconds) else {
        return;
    };
    if let Ok(file) = std::fs::OpenOptions::new().append(true).open(path) {
        let _ = file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
    }
}

fn timed_out(outcome: &mut Outcome, start: Instant) {
    outcome.is_transient = true;
    let text = format!(
        "Operation timed out after {} milliseconds with {} bytes received",
        start.elapsed().as_millis(),
        outcome.downloaded
    );
    outcome.fail(28, text);
}

fn broken(outcome: &mut Outcome, error: &io::Error, config: &Config, start: Instant) {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Failure>())
    {
        Some(Failure::TimedOut) => timed_out(outcome, start),
        Some(Failure::Broken(text) | Failure::Other(text)) => {
            outcome.fail(56, format!("Recv failure: {text}"));
        }
        Some(failure) => outcome.fail(56, format!("Recv failure: {failure}")),
        None if config.is("compressed") => {
            outcome.fail(
                61,
                format!("Error while processing content unencoding: {error}"),
            );
        }
        None => outcome.fail(56, format!("Recv failure: {error}")),
    }
}

fn failed(outcome: &mut Outcome, error: &Failure, address: &Address, start: Instant) {
    let (host, port) = (&address.host, address.port());
    let milliseconds = start.elapsed().as_millis();
    match error {
        Failure::Denied => outcome.fail(
            7,
            format!("Failed to connect to {host} port {port}: the sandbox's network policy denies it"),
        ),
        Failure::NameNotFound => outcome.fail(6, format!("Could not resolve host: {host}")),
        Failure::Unreachable => outcome.fail(
            7,
            format!(
                "Failed to connect to {host} port {port} after {milliseconds} ms: Could not connect to server"
            ),
        ),
        Failure::Tls(_) => outcome.fail(
            35,
            format!("TLS connect error: no secure connection to {host} port {port} can be made"),
        ),
        Failure::TimedOut => timed_out(outcome, start),
        Failure::Broken(text) => outcome.fail(56, format!("Recv failure: {text}")),
        Failure::Other(text) => outcome.fail(55, text.clone()),
    }
}

pub(crate) fn malformed(error: &Malformed, url: &str) -> (u8, String) {
    match error {
        Malformed::Scheme(scheme) => (1, format!("Protocol \"{scheme}\" not supported")),
        Malformed::Port => (
            3,
            "URL rejected: Port number was not a decimal number between 0 and 65535".to_owned(),
        ),
        Malformed::Host if url.is_empty() => {
            (3, "URL rejected: No host part in the URL".to_owned())
        }
        Malformed::Host => (3, "URL rejected: Bad hostname".to_owned()),
        Malformed::Character => (
            3,
            "URL rejected: Malformed input to a URL function".to_owned(),
        ),
    }
}

fn head_of(response: &Response) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} {}\r\n",
        response.status,
        reason(response.status)
    );
    let mut bytes = std::mem::take(&mut head).into_bytes();
    for (name, value) in &response.headers.0 {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn show_head(config: &Config, sink: &mut Sink, head: &[u8]) -> io::Result<()> {
    if config.is("include") || config.is("show-headers") || config.is("head") {
        sink.open(config.is("create-dirs"))?;
        sink.write_all(head)?;
    }
    match config.dump_header.as_deref() {
        None => Ok(()),
        Some("-") => io::stdout().write_all(head),
        Some(file) => {
            let mut how = std::fs::OpenOptions::new();
            how.create(true).append(true).open(file)?.write_all(head)
        }
    }
}

fn narrate_request(config: &Config, request: &Request) {
    if !config.is("verbose") {
        return;
    }
    let mut text = format!(
        "> {} {} HTTP/1.1\n",
        request.method,
        request.address.target()
    );
    text.push_str(&format!("> Host: {}\n", request.address.authority()));
    for (name, value) in &request.headers.0 {
        text.push_str(&format!("> {name}: {}\n", String::from_utf8_lossy(value)));
    }
    text.push_str("> \n");
    say(config, &text);
}

fn narrate_response(config: &Config, response: &Response) {
    if !config.is("verbose") {
        return;
    }
    let head = head_of(response);
    for line in String::from_utf8_lossy(&head).lines() {
        say(config, &format!("< {line}\n"));
    }
}

fn say(config: &Config, text: &str) {
    let _ = match config.stderr.as_deref() {
        None => io::stderr().write_all(text.as_bytes()),
        Some("-") => io::stdout().write_all(text.as_bytes()),
        Some(file) => {
            let mut how = std::fs::OpenOptions::new();
            let opened = how.create(true).append(true).open(file);
            opened.and_then(|mut file| file.write_all(text.as_bytes()))
        }
    };
}

struct Counted<'a> {
    inner: Box<dyn Read + 'a>,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Returns bytes in base64.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let place = (bits >> (18 - 6 * digit)) & 63;
            let c = DIGITS.get(place as usize).copied().unwrap_or(b'=');
            out.push(char::from(if digit > group.len() { b'=' } else { c }));
        }
    }
    out
}
