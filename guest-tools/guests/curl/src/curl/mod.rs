//! curl.

mod config;
mod data;
mod options;
mod sink;
mod transfer;
mod write_out;

use std::io::Write;

use self::config::Config;
use self::options::Given;
pub(crate) use self::sink::file_name;
use self::transfer::Session;
pub(crate) use self::transfer::{base64, malformed, set_time};
use http_client::transport;

const VERSION: &str = "curl 8.14.1 (wasm32-wasip2) sinew
Protocols: http https
Features: HSTS HTTP2 HTTPS-proxy libz SSL
";
const HELP: &str = "Usage: curl [options...] <url>
 -d, --data <data>           HTTP POST data
 -f, --fail                  Fail fast with no output on HTTP errors
 -F, --form <name=content>   Specify multipart MIME data
 -H, --header <header/@file> Pass custom header(s) to server
 -i, --show-headers          Show response headers in output
 -I, --head                  Show document info only
 -L, --location              Follow redirects
 -o, --output <file>         Write to file instead of stdout
 -O, --remote-name           Write output to file named as remote file
 -s, --silent                Silent mode
 -T, --upload-file <file>    Transfer local FILE to destination
 -u, --user <user:password>  Server user and password
 -A, --user-agent <name>     Send User-Agent <name> to server
 -v, --verbose               Make the operation more talkative
 -X, --request <method>      Specify request method to use
 -w, --write-out <format>    Output FORMAT after completion

Requests go out through the host, which decides what may leave: there are no proxies, no client certificates, and
--insecure changes nothing.
";

/// Runs curl with its arguments.
pub(crate) fn run(_: &str, words: &[String]) -> u8 {
    let given = match options::parse(words) {
        Ok(given) => given,
        Err(error) => {
            complain(&error);
            complain("try 'curl --help' or 'curl --manual' for more information");
            return 2;
        }
    };
    for (name, text) in [("help", HELP), ("manual", HELP), ("version", VERSION)] {
        if given.contains(&Given::Switch(name, true)) {
            let _ = std::io::stdout().write_all(text.as_bytes());
            return 0;
        }
    }
    let mut session = Session::new(transport::own());
    let mut status = 0;
    let is_next = |item: &Given| *item == Given::Switch("next", true);
    for group in given.split(is_next) {
        status = match Config::read(group.to_vec()) {
            Ok(config) if config.urls.is_empty() => {
                complain("(2) no URL specified");
                complain("try 'curl --help' or 'curl --manual' for more information");
                2
            }
            Ok(config) => session.run(&config),
            Err((status, message)) => {
                complain(&format!("({status}) {message}"));
                status
            }
        };
    }
    status
}

fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "curl: {message}");
}
