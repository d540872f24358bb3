//! wget's command line.

use std::io::Read as _;
use std::time::Duration;

use gnu_options::{Item, Options, Takes};

const VERSION: &str = "GNU Wget 1.25.0 (sinew) built on wasm32-wasip2.\n";
const HELP: &str = "GNU Wget 1.25.0, a non-interactive network retriever.
Usage: wget [OPTION]... [URL]...

  -q,  --quiet                quiet (no output)
  -nv, --no-verbose           turn off verboseness, without being quiet
  -i,  --input-file=FILE      download URLs found in FILE
  -t,  --tries=NUMBER         set number of retries to NUMBER
  -O,  --output-document=FILE write documents to FILE
  -nc, --no-clobber           skip downloads that would download to existing files
  -c,  --continue             resume getting a partially-downloaded file
  -N,  --timestamping         don't re-retrieve files unless newer than local
  -S,  --server-response      print server response
       --spider               don't download anything
  -T,  --timeout=SECONDS      set all timeout values to SECONDS
  -P,  --directory-prefix=PREFIX  save files to PREFIX/..
       --header=STRING        insert STRING among the headers
       --post-data=STRING     use the POST method; send STRING as the data
       --method=HTTPMethod    use method \"HTTPMethod\" in the request
  -U,  --user-agent=AGENT     identify as AGENT instead of Wget/VERSION

Requests go out through the host, which decides what may leave. Nothing is followed but redirects: -r is not there.
";

/// Long options without a letter of their own have a character that no letter is.
const OPTIONS: Options = Options {
    short: "qvdO:P:ci:NSt:T:w:U:e:o:a:46hVr:npkKmxEb",
    long: &[
        ("quiet", Takes::Nothing, 'q'),
        ("verbose", Takes::Nothing, 'v'),
        ("no-verbose", Takes::Nothing, '\u{1}'),
        ("debug", Takes::Nothing, 'd'),
        ("output-document", Takes::Argument, 'O'),
        ("directory-prefix", Takes::Argument, 'P'),
        ("continue", Takes::Nothing, 'c'),
        ("input-file", Takes::Argument, 'i'),
        ("timestamping", Takes::Nothing, 'N'),
        ("server-response", Takes::Nothing, 'S'),
        ("tries", Takes::Argument, 't'),
        ("timeout", Takes::Argument, 'T'),
        ("connect-timeout", Takes::Argument, '\u{2}'),
        ("read-timeout", Takes::Argument, '\u{3}'),
        ("dns-timeout", Takes::Argument, '\u{4}'),
        ("wait", Takes::Argument, 'w'),
        ("waitretry", Takes::Argument, '\u{4}'),
        ("user-agent", Takes::Argument, 'U'),
        ("referer", Takes::Argument, '\u{5}'),
        ("header", Takes::Argument, '\u{6}'),
        ("post-data", Takes::Argument, '\u{7}'),
        ("post-file", Takes::Argument, '\u{8}'),
        ("method", Takes::Argument, '\u{e}'),
        ("body-data", Takes::Argument, '\u{f}'),
        ("body-file", Takes::Argument, '\u{10}'),
        ("user", Takes::Argument, '\u{11}'),
        ("http-user", Takes::Argument, '\u{11}'),
        ("password", Takes::Argument, '\u{12}'),
        ("http-password", Takes::Argument, '\u{12}'),
        ("max-redirect", Takes::Argument, '\u{13}'),
        ("content-disposition", Takes::Nothing, '\u{14}'),
        ("no-clobber", Takes::Nothing, '\u{15}'),
        ("spider", Takes::Nothing, '\u{16}'),
        ("load-cookies", Takes::Argument, '\u{17}'),
        ("save-cookies", Takes::Argument, '\u{18}'),
        ("keep-session-cookies", Takes::Nothing, '\u{4}'),
        ("content-on-error", Takes::Nothing, '\u{19}'),
        ("retry-connrefused", Takes::Nothing, '\u{1a}'),
        ("output-file", Takes::Argument, 'o'),
        ("append-output", Takes::Argument, 'a'),
        ("no-check-certificate", Takes::Nothing, '\u{4}'),
        ("auth-no-challenge", Takes::Nothing, '\u{4}'),
        ("no-cache", Takes::Nothing, '\u{4}'),
        ("no-cookies", Takes::Nothing, '\u{4}'),
        ("no-directories", Takes::Nothing, '\u{4}'),
        ("no-hsts", Takes::Nothing, '\u{4}'),
        ("no-http-keep-alive", Takes::Nothing, '\u{4}'),
        ("no-proxy", Takes::Nothing, '\u{4}'),
        ("progress", Takes::Argument, '\u{4}'),
        ("show-progress", Takes::Nothing, '\u{4}'),
        ("compression", Takes::Argument, '\u{1b}'),
        ("secure-protocol", Takes::Argument, '\u{4}'),
        ("https-only", Takes::Nothing, '\u{4}'),
        ("limit-rate", Takes::Argument, '\u{4}'),
        ("inet4-only", Takes::Nothing, '4'),
        ("inet6-only", Takes::Nothing, '6'),
        ("execute", Takes::Argument, 'e'),
        ("recursive", Takes::Nothing, 'r'),
        ("mirror", Takes::Nothing, 'm'),
        ("page-requisites", Takes::Nothing, 'p'),
        ("convert-links", Takes::Nothing, 'k'),
        ("background", Takes::Nothing, 'b'),
        ("help", Takes::Nothing, 'h'),
        ("version", Takes::Nothing, 'V'),
    ],
};

/// What to do.
pub(super) enum Settings {
    /// Show a text.
    Text(&'static str),
    /// Fetch.
    Fetch(Box<Wanted>),
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Talk {
    Nothing,
    Little,
    #[default]
    All,
}

/// What is to be fetched, and how.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) urls: Vec<String>,
    pub(super) talk: Talk,
    pub(super) log: Option<String>,
    pub(super) document: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) is_continued: bool,
    pub(super) has_timestamps: bool,
    pub(super) keeps_files: bool,
    pub(super) shows_headers: bool,
    pub(super) is_spider: bool,
    pub(super) takes_names: bool,
    pub(super) keeps_errors: bool,
    pub(super) retries_refused: bool,
    pub(super) is_compressed: bool,
    /// 0 for no end.
    pub(super) tries: u32,
    pub(super) wait: Duration,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) read_timeout: Option<Duration>,
    pub(super) agent: Option<String>,
    pub(super) referer: Option<String>,
    pub(super) headers: Vec<String>,
    pub(super) method: Option<String>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) redirects_max: u32,
    pub(super) load_cookies: Option<String>,
    pub(super) save_cookies: Option<String>,
}

/// Reads a command line. Errors are the exit status and wget's words.
pub(super) fn read(words: &[String]) -> Result<Settings, (u8, String)> {
    let words: Vec<String> = words.iter().map(|word| spelled(word)).collect();
    let (items, error) = gnu_options::parse(&OPTIONS, &words);
    if let Some(error) = error {
        return Err((2, error));
    }
    let mut wanted = Wanted {
        tries: 20,
        redirects_max: 20,
        read_timeout: Some(Duration::from_secs(900)),
        ..Wanted::default()
    };
    for item in items {
        match item {
            Item::Operand(url) => wanted.urls.push(url),
            Item::Option('h', ..) => return Ok(Settings::Text(HELP)),
            Item::Option('V', ..) => return Ok(Settings::Text(VERSION)),
            Item::Option('r' | 'm' | 'p' | 'k' | 'K' | 'b', ..) => {
                let text = "recursive retrieval and background work are not available here";
                return Err((1, text.to_owned()));
            }
            Item::Option(letter, value, _) => set(&mut wanted, letter, value.unwrap_or_default())?,
        }
    }
    match wanted.urls.is_empty() {
        true => Err((2, "missing URL".to_owned())),
        false => Ok(Settings::Fetch(Box::new(wanted))),
    }
}

/// Returns the options of two letters by their long names.
fn spelled(word: &str) -> String {
    match word {
        "-nv" => "--no-verbose",
        "-nc" => "--no-clobber",
        "-nd" | "-nH" => "--no-directories",
        word => word,
    }
    .to_owned()
}

fn set(wanted: &mut Wanted, letter: char, value: String) -> Result<(), (u8, String)> {
    let number = || {
        let text = if value == "inf" { "0" } else { &value };
        let number = text.parse::<u32>();
        number.map_err(|_| (2, format!("Invalid number \u{2018}{value}\u{2019}")))
    };
    let seconds = || {
        let time = value.parse::<f64>().ok();
        let time = time.and_then(|time| Duration::try_from_secs_f64(time).ok());
        time.ok_or_else(|| (2, format!("Invalid time period \u{2018}{value}\u{2019}")))
    };
    let file = |name: &str| {
        let read = std::fs::read(name);
        read.map_err(|error| {
            (
                3,
                format!("BODY data file \u{2018}{name}\u{2019} missing: {error}"),
            )
        })
    };
    let timeout = |time: Duration| (!time.is_zero()).then_some(time);
    match letter {
        'q' => wanted.talk = Talk::Nothing,
        '\u{1}' => wanted.talk = Talk::Little,
        'v' => wanted.talk = Talk::All,
        'O' => wanted.document = Some(value),
        'P' => wanted.prefix = Some(value),
        'c' => wanted.is_continued = true,
        'i' => wanted.urls.extend(urls_in(&value)?),
        'N' => wanted.has_timestamps = true,
        'S' => wanted.shows_headers = true,
        't' => wanted.tries = number()?,
        'T' => {
            wanted.connect_timeout = timeout(seconds()?);
            wanted.read_timeout = timeout(seconds()?);
        }
        '\u{2}' => wanted.connect_timeout = timeout(seconds()?),
        '\u{3}' => wanted.read_timeout = timeout(seconds()?),
        'w' => wanted.wait = seconds()?,
        'U' => wanted.agent = Some(value),
        '\u{5}' => wanted.referer = Some(value),
        '\u{6}' => wanted.headers.push(value),
        '\u{7}' | '\u{8}' => {
            wanted.method.get_or_insert_with(|| "POST".to_owned());
            wanted.body = Some(match letter {
                '\u{7}' => value.into_bytes(),
                _ => file(&value)?,
            });
        }
        '\u{e}' => wanted.method = Some(value.to_ascii_uppercase()),
        '\u{f}' => wanted.body = Some(value.into_bytes()),
        '\u{10}' => wanted.body = Some(file(&value)?),
        '\u{11}' => wanted.user = Some(value),
        '\u{12}' => wanted.password = Some(value),
        '\u{13}' => wanted.redirects_max = number()?,
        '\u{14}' => wanted.takes_names = true,
        '\u{15}' => wanted.keeps_files = true,
        '\u{16}' => wanted.is_spider = true,
        '\u{17}' => wanted.load_cookies = Some(value),
        '\u{18}' => wanted.save_cookies = Some(value),
        '\u{19}' => wanted.keeps_errors = true,
        '\u{1a}' => wanted.retries_refused = true,
        '\u{1b}' => wanted.is_compressed = value != "none",
        'o' | 'a' => {
            if letter == 'o' {
                let _ = std::fs::write(&value, "");
            }
            wanted.log = Some(value);
        }
        // How it looks, how the connection is made: the host's, or nobody's.
        _ => {}
    }
    Ok(())
}

fn urls_in(name: &str) -> Result<Vec<String>, (u8, String)> {
    let mut text = String::new();
    let read = match name {
        "-" => std::io::stdin().read_to_string(&mut text).map(|_| ()),
        name => std::fs::read_to_string(name).map(|read| text = read),
    };
    match read {
        Ok(()) => {
            let lines = text.lines().map(str::trim);
            Ok(lines
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect())
        }
        Err(error) => Err((3, format!("{name}: {error}"))),
    }
}
