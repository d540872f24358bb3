//! What a component asks for, in words a person can decide on.
//!
//! Imports say what a component may use, not what it does, and toolchains import more than the code
//! needs. So these words are shown beside what was granted; nothing is granted because of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wit_parser::{Interface, Resolve, World, WorldItem};

use super::text::visible;

/// The longest wording taken from an interface's own documentation, in bytes.
const WORDS_BYTES_MAX: usize = 200;
/// The most interfaces listed; a component could import a million.
const INTERFACES_MAX: usize = 1_000;

/// The wording of known interfaces, by package and interface without version, in order of weight.
/// An empty wording is plumbing: shown to nobody, since it lets a component do nothing by itself.
const KNOWN: &[(&str, &str)] = &[
    ("wasi:filesystem/types", FILES),
    ("wasi:filesystem/preopens", FILES),
    ("wasi:http/outgoing-handler", HTTP),
    ("wasi:http/client", HTTP),
    ("wasi:http/handler", HTTP),
    ("wasi:http/types", ""),
    ("wasi:sockets/tcp", SOCKETS),
    ("wasi:sockets/tcp-create-socket", SOCKETS),
    ("wasi:sockets/udp", SOCKETS),
    ("wasi:sockets/udp-create-socket", SOCKETS),
    ("wasi:sockets/types", SOCKETS),
    ("wasi:sockets/ip-name-lookup", "look up host names"),
    ("wasi:sockets/instance-network", ""),
    ("wasi:sockets/network", ""),
    (
        "wasi:cli/environment",
        "read its arguments and environment variables",
    ),
    ("wasi:cli/stdin", STREAMS),
    ("wasi:cli/stdout", STREAMS),
    ("wasi:cli/stderr", STREAMS),
    ("wasi:cli/exit", ""),
    ("wasi:cli/terminal-input", ""),
    ("wasi:cli/terminal-output", ""),
    ("wasi:cli/terminal-stdin", ""),
    ("wasi:cli/terminal-stdout", ""),
    ("wasi:cli/terminal-stderr", ""),
    ("wasi:cli/types", ""),
    ("wasi:clocks/wall-clock", CLOCKS),
    ("wasi:clocks/system-clock", CLOCKS),
    ("wasi:clocks/monotonic-clock", CLOCKS),
    ("wasi:clocks/timezone", CLOCKS),
    ("wasi:clocks/types", ""),
    ("wasi:random/random", RANDOM),
    ("wasi:random/insecure", RANDOM),
    ("wasi:random/insecure-seed", RANDOM),
    ("wasi:io/error", ""),
    ("wasi:io/poll", ""),
    ("wasi:io/streams", ""),
    ("sinew:tool/content", ""),
    ("sinew:tool/progress", ""),
];

const FILES: &str = "read and write files in the directories it is given";
const HTTP: &str = "send HTTP requests";
const SOCKETS: &str = "open network connections";
const STREAMS: &str = "use its standard input and output";
const CLOCKS: &str = "read clocks and wait";
const RANDOM: &str = "get random numbers";

/// One thing a component asks for, and the imports that say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// What it could do if granted, as the end of "it may ...", or what the interface says of itself.
    pub words: String,
    /// The imported interfaces, with versions.
    pub interfaces: Vec<String>,
}

/// Returns what the world's imports ask for; known things first, in order of weight.
pub(super) fn capabilities(resolve: &Resolve, world: &World) -> Vec<Capability> {
    let mut grouped: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    let imports = world.imports.iter().filter_map(|(key, item)| match item {
        WorldItem::Interface { id, .. } => {
            let interface = resolve.interfaces.get(*id)?;
            // An import of types alone is a `use`: there is nothing to call.
            let (rank, words) = match interface.functions.is_empty() {
                true => return None,
                false => wording(resolve, interface)?,
            };
            Some((rank, words, resolve.name_world_key(key)))
        }
        WorldItem::Function(function) => {
            let words = first_sentence(function.docs.contents.as_deref())
                .unwrap_or_else(|| format!("call the host's `{}`", function.name));
            Some((
                KNOWN.len(),
                visible(&words, WORDS_BYTES_MAX),
                function.name.clone(),
            ))
        }
        WorldItem::Type { .. } => None,
    });
    for (rank, words, interface) in imports.take(INTERFACES_MAX) {
        grouped.entry((rank, words)).or_default().push(interface);
    }
    grouped
        .into_iter()
        .map(|((_, words), interfaces)| Capability { words, interfaces })
        .collect()
}

/// The rank and wording of an interface; none for plumbing.
fn wording(resolve: &Resolve, interface: &Interface) -> Option<(usize, String)> {
    let name = interface.name.as_deref().unwrap_or("a nameless interface");
    let Some(package) = interface.package.and_then(|id| resolve.packages.get(id)) else {
        return Some((KNOWN.len(), visible(name, WORDS_BYTES_MAX)));
    };
    let path = format!("{}:{}/{name}", package.name.namespace, package.name.name);
    if let Some((_, words)) = KNOWN.iter().find(|(known, _)| *known == path) {
        // The first row of equal wording ranks them all, so that they group.
        let rank = KNOWN.iter().position(|(_, other)| other == words)?;
        return (!words.is_empty()).then(|| (rank, (*words).to_owned()));
    }
    let words = first_sentence(interface.docs.contents.as_deref())
        .unwrap_or_else(|| format!("use `{path}`"));
    Some((KNOWN.len(), visible(&words, WORDS_BYTES_MAX)))
}

fn first_sentence(docs: Option<&str>) -> Option<String> {
    let paragraph = docs?.trim().split("\n\n").next()?;
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line
        .split_once(". ")
        .map_or(line.as_str(), |(first, _)| first);
    let sentence = sentence.trim_end_matches('.');
    (!sentence.is_empty()).then(|| sentence.to_owned())
}
