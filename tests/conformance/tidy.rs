//! The rules of the source tree: who may use whom, how long a file may be, and that nothing is forgotten.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Past this length a file has a second topic.
const LINES_MAX: usize = 800;

/// What each crate may use of ours.
const CRATES: [(&str, &[&str]); 4] = [
    ("runtime", &[]),
    ("guest-tools", &[]),
    ("harness", &["sinew-runtime", "sinew-guest-tools"]),
    ("tests", &["sinew", "sinew-runtime", "sinew-guest-tools"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Returns every Rust file below a folder, what cargo made left out.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files.extend(rust_files(&path)?);
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[test]
fn crates_use_only_what_stands_below_them() -> Result<()> {
    let mut problems = Vec::new();
    for (name, allowed) in CRATES {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml"))?;
        problems.extend(
            forbidden(&manifest, allowed)
                .into_iter()
                .map(|used| format!("{name} uses {used}")),
        );
    }
    ensure!(problems.is_empty(), "{problems:#?}");
    // The check itself sees what it must see.
    let wrong = "[dependencies]\nserde = \"1\"\nsinew.workspace = true\n[dependencies.sinew-runtime]\npath = \"x\"";
    assert_eq!(forbidden(wrong, &[]), ["sinew", "sinew-runtime"]);
    Ok(())
}

/// Returns the crates of ours that a manifest names without leave.
fn forbidden(manifest: &str, allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_dependencies = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            is_dependencies = section.ends_with("dependencies");
            found.extend(
                section
                    .split_once("dependencies.")
                    .map(|(_, name)| name.to_owned()),
            );
        } else if is_dependencies {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            found.push(line[..end].to_owned());
        }
    }
    found.retain(|name| {
        (name == "sinew" || name.starts_with("sinew-")) && !allowed.contains(&name.as_str())
    });
    found
}

#[test]
fn modules_of_the_harness_use_only_what_stands_before_them() -> Result<()> {
    let source = root().join("harness/src");
    let order = module_order(&std::fs::read_to_string(source.join("lib.rs"))?)?;
    let mut problems = Vec::new();
    for file in rust_files(&source)? {
        let path = file.strip_prefix(&source)?.to_string_lossy().into_owned();
        let own = path
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs");
        if matches!(own, "lib" | "main") || is_test(&path) {
            continue;
        }
        let Some(place) = order.get(own) else {
            problems.push(format!("{own} is not in the order that lib.rs gives"));
            continue;
        };
        for used in used_modules(&std::fs::read_to_string(&file)?) {
            if order.get(&used).is_none_or(|other| other > place) {
                problems.push(format!(
                    "{path} uses {used}, which does not stand before {own}"
                ));
            }
        }
    }
    ensure!(problems.is_empty(), "{problems:#?}");
    let text = "use crate::{api, store::Store};\n// crate::cli\ncrate::ids::f();\n#[cfg(test)]\nuse crate::daemon;";
    assert_eq!(used_modules(text), ["api", "store", "ids"]);
    Ok(())
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| {
        part == "tests"
            || part == "contract"
            || part.ends_with("tests.rs")
            || part.ends_with("_tests")
    })
}

/// Reads the order from the comment of the library: the names in backticks of its second paragraph.
fn module_order(library: &str) -> Result<BTreeMap<String, usize>> {
    let comment: Vec<&str> = library
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .collect();
    let text = comment.join(" ");
    let (_, order) = text
        .split_once("Order of dependency")
        .context("lib.rs gives no order")?;
    let names = order.split('`').skip(1).step_by(2);
    Ok(names
        .enumerate()
        .map(|(place, name)| (name.to_owned(), place))
        .collect())
}

/// Returns the modules that a file names behind `crate::`, up to its tests.
fn used_modules(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `other_crate::` is none of ours.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => used.push(word(rest)),
            Some(group) => used.extend(heads(group)),
        }
    }
    used.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    used
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Returns the first word of each item of a `{..}` group, whose brace was read.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut item, mut heads) = (0usize, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(word(std::mem::take(&mut item).trim())),
            c => item.push(c),
        }
    }
    heads.push(word(item.trim()));
    heads
}

#[test]
fn files_are_short_and_say_what_they_are() -> Result<()> {
    let mut problems = Vec::new();
    for (name, _) in CRATES {
        for file in rust_files(&root().join(name))? {
            let text = std::fs::read_to_string(&file)?;
            let lines = text.lines().count();
            let shown = file.strip_prefix(root())?.display();
            if lines > LINES_MAX {
                problems.push(format!("{shown} has {lines} lines"));
            }
            if !text.starts_with("//!") {
                problems.push(format!("{shown} does not open with a //! comment"));
            }
        }
    }
    ensure!(problems.is_empty(), "{problems:#?}");
    Ok(())
}

#[test]
fn no_test_file_is_forgotten() -> Result<()> {
    let mut problems = Vec::new();
    for binary in ["conformance", "crash", "isolation"] {
        let files = rust_files(&root().join("tests").join(binary))?;
        let texts: Vec<String> = files
            .iter()
            .map(std::fs::read_to_string)
            .collect::<Result<_, _>>()?;
        for file in &files {
            // A folder's own file stands for the folder.
            let path = match file.file_name().is_some_and(|name| name == "mod.rs") {
                true => file.parent().unwrap_or(file),
                false => file,
            };
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let declared = format!("mod {name};");
            if name != "main" && !texts.iter().any(|text| text.contains(&declared)) {
                problems.push(format!("tests/{binary}: {name} is in no binary"));
            }
        }
    }
    ensure!(problems.is_empty(), "{problems:#?}");
    Ok(())
}
