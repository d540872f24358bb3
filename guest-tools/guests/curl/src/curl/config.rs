//! What a command line asks for.

use std::io;
use std::time::Duration;

use super::data::{self, Body, Piece};
use super::options::Given;

/// A refusal: exit status and message.
pub(super) type Refusal = (u8, String);

/// Where a response goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Stdout,
    File(String),
    /// `-O`.
    RemoteName,
}

/// Everything of one group of options; groups are parted by `--next`.
#[derive(Default)]
pub(super) struct Config {
    pub(super) urls: Vec<String>,
    pub(super) targets: Vec<Target>,
    pub(super) output_dir: Option<String>,
    pub(super) method: Option<String>,
    pub(super) headers: Vec<String>,
    pub(super) body: Option<Body>,
    pub(super) content_type: Option<String>,
    pub(super) accept: Option<String>,
    /// With `-G`: what goes into the query.
    pub(super) query: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) bearer: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) referer: Option<String>,
    pub(super) cookies: Vec<String>,
    pub(super) cookie_jar: Option<String>,
    pub(super) range: Option<String>,
    pub(super) continue_at: Option<String>,
    pub(super) write_out: Option<String>,
    pub(super) dump_header: Option<String>,
    pub(super) stderr: Option<String>,
    pub(super) max_time: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) max_redirects: Option<u32>,
    pub(super) max_file_size: Option<u64>,
    pub(super) retries: u32,
    pub(super) retry_delay: Option<Duration>,
    pub(super) retry_max_time: Option<Duration>,
    switches: Vec<&'static str>,
}

impl Config {
    /// Tells whether a switch is on.
    pub(super) fn is(&self, name: &str) -> bool {
        self.switches.contains(&name)
    }

    /// Tells whether cookies are remembered from one request to the next.
    pub(super) fn has_jar(&self) -> bool {
        self.cookie_jar.is_some() || self.cookies.iter().any(|cookie| !cookie.contains('='))
    }

    /// Reads one group of options.
    pub(super) fn read(given: Vec<Given>) -> Result<Self, Refusal> {
        let mut config = Self::default();
        let mut bytes: Option<Vec<u8>> = None;
        let mut form: Option<(String, Vec<Piece>)> = None;
        for item in given {
            match item {
                Given::Url(url) => config.urls.push(url),
                Given::Switch("remote-name", true) => config.targets.push(Target::RemoteName),
                Given::Switch(name, is_on) => {
                    config.switches.retain(|own| *own != name);
                    if is_on {
                        config.switches.push(name);
                    }
                }
                Given::Value(name, value) => match name {
                    "data" | "data-ascii" | "data-binary" | "data-raw" | "data-urlencode"
                    | "json" => add_data(&mut config, &mut bytes, name, &value)?,
                    "form" | "form-string" => {
                        let (boundary, pieces) =
                            form.get_or_insert_with(|| (boundary(), Vec::new()));
                        data::add_part(pieces, boundary, &value, name == "form-string")
                            .map_err(|error| (26, error))?;
                    }
                    name => config.set(name, value)?,
                },
            }
        }
        if config.is("get") {
            let given = bytes.take().unwrap_or_default();
            if !given.is_empty() {
                let text = String::from_utf8_lossy(&given).into_owned();
                config.query.insert(0, text);
            }
        }
        if let Some(bytes) = bytes {
            config.body = Some(Body::Bytes(bytes));
            config
                .content_type
                .get_or_insert_with(|| "application/x-www-form-urlencoded".to_owned());
        } else if let Some((boundary, mut pieces)) = form {
            pieces.push(Piece::Bytes(format!("--{boundary}--\r\n").into_bytes()));
            config.body = Some(Body::Form(pieces));
            config.content_type = Some(format!("multipart/form-data; boundary={boundary}"));
        }
        Ok(config)
    }

    fn set(&mut self, name: &'static str, value: String) -> Result<(), Refusal> {
        let seconds = || seconds(name, &value);
        let count = || {
            let count = value.parse::<u32>();
            count.map_err(|_| {
                (
                    2,
                    format!("option --{name}: expected a proper numerical parameter"),
                )
            })
        };
        match name {
            "url" => self.urls.push(value),
            "url-query" => self.query.push(match value.strip_prefix('+') {
                Some(plain) => plain.to_owned(),
                None => {
                    let bytes = data::urlencoded(&value).map_err(|e| unreadable(&value, &e))?;
                    String::from_utf8_lossy(&bytes).into_owned()
                }
            }),
            "output" => self.targets.push(match value.as_str() {
                "-" => Target::Stdout,
                _ => Target::File(value),
            }),
            "output-dir" => self.output_dir = Some(value),
            "request" => self.method = Some(value),
            "header" => match value.strip_prefix('@') {
                None => self.headers.push(value),
                Some(file) => {
                    let bytes = data::read(file).map_err(|e| unreadable(file, &e))?;
                    let text = String::from_utf8_lossy(&bytes);
                    self.headers.extend(text.lines().map(str::to_owned));
                }
            },
            "upload-file" => {
                self.body = Some(match value.as_str() {
                    "-" | "." => Body::Input,
                    _ => Body::File(value),
                });
                self.switches.push("upload");
            }
            "user" => self.user = Some(value),
            "oauth2-bearer" => self.bearer = Some(value),
            "user-agent" => self.user_agent = Some(value),
            "referer" => self.referer = Some(value),
            "cookie" => self.cookies.push(value),
            "cookie-jar" => self.cookie_jar = Some(value),
            "range" => self.range = Some(value),
            "continue-at" => self.continue_at = Some(value),
            "write-out" => {
                self.write_out = Some(match value.strip_prefix('@') {
                    None => value,
                    Some(file) => {
                        let bytes = data::read(file).map_err(|e| unreadable(file, &e))?;
                        String::from_utf8_lossy(&bytes).into_owned()
                    }
                });
            }
            "dump-header" => self.dump_header = Some(value),
            "stderr" => self.stderr = Some(value),
            "max-time" => self.max_time = seconds()?,
            "connect-timeout" => self.connect_timeout = seconds()?,
            "max-redirs" => {
                self.max_redirects = match value.as_str() {
                    "-1" => Some(u32::MAX),
                    _ => Some(count()?),
                }
            }
            "max-filesize" => self.max_file_size = value.parse().ok(),
            "retry" => self.retries = count()?,
            "retry-delay" => self.retry_delay = seconds()?,
            "retry-max-time" => self.retry_max_time = seconds()?,
            "proxy" if !value.is_empty() => {
                return Err(refused("a proxy", "the host connects directly"));
            }
            "connect-to" | "resolve" | "interface" | "unix-socket" => {
                return Err(refused(
                    &format!("--{name}"),
                    "the host decides what is connected to",
                ));
            }
            "cert" | "key" => {
                return Err(refused(
                    "a client certificate",
                    "the host secures connections",
                ));
            }
            "config" => return Err(refused("--config", "give the options themselves")),
            // Sizes of buffers, speeds, versions of TLS: the host's.
            _ => {}
        }
        Ok(())
    }
}

fn add_data(
    config: &mut Config,
    bytes: &mut Option<Vec<u8>>,
    name: &str,
    value: &str,
) -> Result<(), Refusal> {
    let added = match name {
        "data-raw" => Ok(value.as_bytes().to_vec()),
        "data-binary" | "json" => data::binary(value),
        "data-urlencode" => data::urlencoded(value),
        _ => data::plain(value),
    };
    let added = added.map_err(|error| unreadable(value.trim_start_matches('@'), &error))?;
    match bytes {
        None => *bytes = Some(added),
        Some(bytes) => {
            if name != "json" {
                bytes.push(b'&');
            }
            bytes.extend_from_slice(&added);
        }
    }
    if name == "json" {
        config.content_type = Some("application/json".to_owned());
        config.accept = Some("application/json".to_owned());
    }
    Ok(())
}

fn refused(what: &str, why: &str) -> Refusal {
    (2, format!("{what} cannot be used here: {why}"))
}

fn unreadable(file: &str, error: &io::Error) -> Refusal {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        _ => error.to_string(),
    };
    (26, format!("Failed to open {file}: {why}"))
}

fn seconds(name: &str, value: &str) -> Result<Option<Duration>, Refusal> {
    match value
        .parse::<f64>()
        .ok()
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
    {
        Some(time) if time.is_zero() => Ok(None),
        Some(time) => Ok(Some(time)),
        None => Err((
            2,
            format!("option --{name}: expected a proper numerical parameter"),
        )),
    }
}

/// Returns a line that no part of a form has by chance.
fn boundary() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = || {
        let hasher = std::collections::hash_map::RandomState::new().build_hasher();
        hasher.finish()
    };
    let text = format!("{:016x}{:016x}", random(), random());
    format!(
        "------------------------{}",
        text.get(..22).unwrap_or(&text)
    )
}
