//! The files of a new tool. The same WIT in every language, and the same results.

use super::{Language, ToolName};
use crate::cli::tool_build::{COMPONENTIZE_PY_SETUP, NPM_SETUP, ZIGLANG_SETUP};
use crate::cli::tool_project::MANIFEST;

/// A file's path below the project's folder, and its text with markers.
type Template = (&'static str, &'static str);

const SHARED: [Template; 2] = [
    (MANIFEST, include_str!("templates/shared/tool.toml")),
    ("wit/world.wit", include_str!("templates/shared/world.wit")),
];

const RUST: [Template; 6] = [
    (
        "Cargo.toml",
        include_str!("templates/rust/Cargo.toml.template"),
    ),
    ("src/lib.rs", include_str!("templates/rust/lib.rs")),
    (
        "src/component.rs",
        include_str!("templates/rust/component.rs"),
    ),
    (
        "src/counting.rs",
        include_str!("templates/rust/counting.rs"),
    ),
    ("README.md", include_str!("templates/rust/README.md")),
    (".gitignore", include_str!("templates/rust/gitignore")),
];

const PYTHON: [Template; 5] = [
    ("src/app.py", include_str!("templates/python/app.py")),
    (
        "src/counting.py",
        include_str!("templates/python/counting.py"),
    ),
    (
        "tests/test_counting.py",
        include_str!("templates/python/test_counting.py"),
    ),
    ("README.md", include_str!("templates/python/README.md")),
    (".gitignore", include_str!("templates/python/gitignore")),
];

const JS: [Template; 6] = [
    ("package.json", include_str!("templates/js/package.json")),
    ("src/app.js", include_str!("templates/js/app.js")),
    ("src/counting.js", include_str!("templates/js/counting.js")),
    (
        "test/counting.test.js",
        include_str!("templates/js/counting.test.js"),
    ),
    ("README.md", include_str!("templates/js/README.md")),
    (".gitignore", include_str!("templates/js/gitignore")),
];

const C: [Template; 6] = [
    ("src/component.c", include_str!("templates/c/component.c")),
    ("src/counting.h", include_str!("templates/c/counting.h")),
    ("src/counting.c", include_str!("templates/c/counting.c")),
    (
        "tests/test_counting.c",
        include_str!("templates/c/test_counting.c"),
    ),
    ("README.md", include_str!("templates/c/README.md")),
    (".gitignore", include_str!("templates/c/gitignore")),
];

/// Returns the files of a new project: path below its folder, and text.
pub(super) fn files(name: &ToolName, language: Language) -> Vec<(&'static str, String)> {
    let own: &[Template] = match language {
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::Js => &JS,
        Language::C => &C,
    };
    let filled = |&(path, text): &Template| {
        let text = text
            .replace("__NAME__", &name.to_string())
            .replace("__SNAKE__", &name.snake())
            .replace("__LANGUAGE__", language.word())
            .replace("__COMPONENTIZE_PY_SETUP__", COMPONENTIZE_PY_SETUP)
            .replace("__NPM_SETUP__", NPM_SETUP)
            .replace("__ZIGLANG_SETUP__", ZIGLANG_SETUP);
        (path, text)
    };
    SHARED.iter().chain(own).map(filled).collect()
}

/// Returns what has to be done once in the folder before the first build, if anything.
pub(super) fn set_up(language: Language) -> Option<&'static str> {
    match language {
        Language::Rust => None,
        Language::Python => Some(COMPONENTIZE_PY_SETUP),
        Language::Js => Some(NPM_SETUP),
        Language::C => Some(ZIGLANG_SETUP),
    }
}

#[cfg(test)]
mod tests {
    use sinew_runtime::typed::docs::{WitSources, embed};

    use super::*;
    use crate::cli::tool_build::World;
    use crate::cli::tool_project::Manifest;

    const LANGUAGES: [Language; 4] = [Language::Rust, Language::Python, Language::Js, Language::C];

    #[test]
    fn no_marker_is_left_and_no_template_is_forgotten() {
        let name: ToolName = "word-count".parse().unwrap();
        let mut used = 0;
        for language in LANGUAGES {
            let files = files(&name, language);
            used += files.len() - SHARED.len();
            for (path, text) in &files {
                // Words in capitals between two underscores are markers, but for two of C's.
                let is_marker = |word: &str| {
                    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
                    !word.is_empty()
                        && word.chars().all(is_name)
                        && word != "FILE"
                        && word != "LINE"
                };
                assert!(
                    !text.split("__").any(is_marker),
                    "{language} {path}: {text}"
                );
                assert!(text.ends_with('\n'), "{language} {path}");
            }
            let texts: String = files.iter().map(|(_, text)| text.as_str()).collect();
            assert!(texts.contains("word-count"), "{language}");
            assert!(files.iter().any(|(path, _)| *path == "README.md"));
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/tool_new/templates");
        let mut kept = 0;
        for language in std::fs::read_dir(folder).unwrap() {
            kept += std::fs::read_dir(language.unwrap().path()).unwrap().count();
        }
        assert_eq!(kept, used + SHARED.len());
    }

    #[test]
    fn the_manifest_and_the_wit_are_valid() {
        // Any name that is accepted is one of a WIT package too.
        for name in [
            "words",
            "word-count2",
            "a",
            "tool",
            "text",
            "counts",
            "local",
            "local-exports",
        ] {
            let name: ToolName = name.parse().unwrap();
            for language in LANGUAGES {
                let folder = tempfile::tempdir().unwrap();
                super::super::folder::write(&folder.path().join("new"), &files(&name, language))
                    .unwrap();
                let folder = folder.path().join("new");
                let manifest = Manifest::read(&folder).unwrap();
                assert_eq!((&manifest.name, manifest.language), (&name, language));
                let wit = folder.join(&manifest.wit);
                let world = World::read(&wit, manifest.world.as_deref()).unwrap();
                assert!(!world.imports("wasi"));
                // The smallest component: its docs become those of the WIT.
                let component = b"\0asm\x0d\0\x01\0";
                let with_docs = embed(component, &WitSources::Folder(wit)).unwrap();
                let text = String::from_utf8_lossy(&with_docs);
                assert!(text.contains("finds its longest word"), "{text}");
            }
        }
    }
}
