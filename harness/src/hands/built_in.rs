//! What ships inside this program: the tools and the programs of a hand, and the surroundings that they expect.

use bytes::Bytes;
use sinew_guest_tools::Embedded;
use sinew_runtime::typed::docs::WitSources;
use sinew_runtime::{ComponentSource, ProgramError, Programs, Trust};

/// The name of the component that is the web tools.
pub const WEB: &str = "web";

/// The environment of every process of a hand.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("HOME", "/workspace"),
    ("HOSTNAME", "sinew"),
    ("LANG", "C.UTF-8"),
    ("LOGNAME", "agent"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("PWD", "/workspace"),
    ("SHELL", "/bin/bash"),
    ("TERM", "dumb"),
    ("TZ", "UTC"),
    ("USER", "agent"),
];

/// Returns the components whose functions are tools.
pub fn tools() -> Vec<ComponentSource> {
    let with_wit = |embedded: &Embedded| {
        let wit = embedded.wit.iter();
        let wit = wit.map(|(path, text)| (wit_path(embedded.name, path), (*text).to_owned()));
        ComponentSource {
            wit: Some(WitSources::Files(wit.collect())),
            ..source(embedded)
        }
    };
    sinew_guest_tools::tools().map(with_wit).collect()
}

/// Returns the programs that every hand has.
pub fn programs() -> Result<Programs, ProgramError> {
    let mut programs = Programs::default();
    for embedded in sinew_guest_tools::programs() {
        programs.add(source(embedded), embedded.programs.iter().copied())?;
    }
    Ok(programs)
}

fn source(embedded: &Embedded) -> ComponentSource {
    ComponentSource {
        name: embedded.name.to_owned(),
        wasm: Bytes::from_static(embedded.wasm),
        digest: Some(embedded.digest),
        wit: None,
        trust: Trust::Embedded,
    }
}

/// A guest's own package stands at the root of its WIT folder, the packages it uses in `deps`.
fn wit_path(name: &str, path: &str) -> String {
    match path
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('/'))
    {
        Some(own) => own.to_owned(),
        None => format!("deps/{path}"),
    }
}
