//! The case files: what to run, and what real bash answered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One script with its answer; the keys are those of `record.py`.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The file it stands in, from the folder of all cases.
    #[serde(skip)]
    pub(super) file: String,
    pub(super) name: String,
    /// Files that several cases share, from `trees/`.
    tree: Option<String>,
    pub(super) script: String,
    #[serde(default)]
    files: BTreeMap<String, Entry>,
    pub(super) stdin: Option<String>,
    stdout: Option<String>,
    stdout_base64: Option<String>,
    /// Only where it is worth comparing.
    pub(super) stderr: Option<String>,
    /// None before it is recorded.
    pub(super) status: Option<i32>,
    /// Why it is known to differ.
    pub(super) gap: Option<String>,
}

/// What is in the workspace before the script runs.
#[derive(Deserialize, Debug, Clone)]
#[serde(untagged)]
pub(super) enum Entry {
    Text(String),
    Number(i64),
    Special(Special),
}

#[derive(Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Special {
    content: Option<String>,
    base64: Option<String>,
    mode: Option<String>,
    link: Option<String>,
}

impl Case {
    /// Returns where the case stands.
    pub(super) fn place(&self) -> String {
        format!("{}: {}", self.file, self.name)
    }

    pub(super) fn expected_stdout(&self) -> Vec<u8> {
        match (&self.stdout, &self.stdout_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(encoded)) => STANDARD.decode(encoded).unwrap(),
            (None, None) => Vec::new(),
        }
    }

    /// Puts the case's files into its workspace.
    pub(super) fn lay_files(&self, workspace: &Path) {
        if let Some(tree) = &self.tree {
            let path = folder().join("trees").join(format!("{tree}.yaml"));
            let shared: BTreeMap<String, Entry> = read(&path);
            lay(&shared, workspace);
        }
        lay(&self.files, workspace);
    }
}

fn lay(files: &BTreeMap<String, Entry>, workspace: &Path) {
    for (name, entry) in files {
        let path = workspace.join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(&path).unwrap();
            if let Entry::Special(Special {
                mode: Some(mode), ..
            }) = entry
            {
                set_mode(&path, mode);
            }
            continue;
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry {
            Entry::Text(text) => std::fs::write(&path, text).unwrap(),
            Entry::Number(number) => std::fs::write(&path, number.to_string()).unwrap(),
            Entry::Special(special) => {
                if let Some(target) = &special.link {
                    std::os::unix::fs::symlink(target, &path).unwrap();
                    continue;
                }
                let bytes = match (&special.content, &special.base64) {
                    (Some(text), _) => text.clone().into_bytes(),
                    (None, Some(encoded)) => STANDARD.decode(encoded).unwrap(),
                    (None, None) => Vec::new(),
                };
                std::fs::write(&path, bytes).unwrap();
                if let Some(mode) = &special.mode {
                    set_mode(&path, mode);
                }
            }
        }
    }
}

fn set_mode(path: &Path, mode: &str) {
    use std::os::unix::fs::PermissionsExt;
    let mode = u32::from_str_radix(mode, 8).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/shell")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns every case of every file.
pub(super) fn all() -> Vec<Case> {
    let root = folder().join("cases");
    let mut cases = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.strip_prefix(&root).unwrap().display().to_string();
            let mut read: Vec<Case> = read(&path);
            for case in &mut read {
                case.file.clone_from(&file);
            }
            cases.append(&mut read);
        }
    }
    cases.sort_by_key(Case::place);
    cases
}
