//! wget: files by URL, one after the other.

mod fetch;
mod options;

use std::io::Write as _;

use self::fetch::Fetcher;
use self::options::Settings;
use http_client::transport;

/// Runs wget with its arguments.
pub(crate) fn run(_: &str, words: &[String]) -> u8 {
    let settings = match options::read(words) {
        Ok(settings) => settings,
        Err((status, message)) => {
            let mut stderr = std::io::stderr();
            let _ = writeln!(stderr, "wget: {message}");
            if status == 2 {
                let usage =
                    "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.";
                let _ = writeln!(stderr, "{usage}");
            }
            return status;
        }
    };
    match settings {
        Settings::Text(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            0
        }
        Settings::Fetch(settings) => Fetcher::new(*settings, transport::own()).run(),
    }
}
