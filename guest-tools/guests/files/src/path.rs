//! Where a path of a call leads. WASI gives a component no working directory, so it is resolved here: a
//! relative path starts at the working directory, `.` and `..` are collapsed by the text alone, and `..`
//! at the root stays there.

use std::path::{Component, Path, PathBuf};

/// The working directory of a hand that names no other one in `PWD`.
pub const WORKDIR_DEFAULT: &str = "/workspace";

/// The directory at which relative paths start.
#[derive(Debug, Clone)]
pub struct Workdir(PathBuf);

impl Workdir {
    /// Takes `directory` as the working directory if it is absolute, else the default.
    pub fn new(directory: &str) -> Self {
        let directory = Path::new(directory);
        Self(if directory.has_root() {
            collapse(directory)
        } else {
            PathBuf::from(WORKDIR_DEFAULT)
        })
    }

    /// Takes the working directory from `PWD`.
    pub fn from_env() -> Self {
        Self::new(&std::env::var("PWD").unwrap_or_default())
    }

    /// Returns the absolute path that `path` stands for.
    pub fn resolve(&self, path: &str) -> PathBuf {
        collapse(&self.0.join(path))
    }
}

/// Removes `.`, `..` and doubled slashes from an absolute path.
fn collapse(path: &Path) -> PathBuf {
    let mut whole = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => whole.push(name),
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve_beneath_the_working_directory() {
        for (workdir, path, expected) in [
            ("/workspace", "a.txt", "/workspace/a.txt"),
            ("/workspace", "", "/workspace"),
            ("/workspace", "./src//b/../c.rs", "/workspace/src/c.rs"),
            ("/workspace", "/tmp/x", "/tmp/x"),
            ("/workspace", "../tmp/x", "/tmp/x"),
            ("/workspace", "../../../../etc", "/etc"),
            ("/workspace", "/..", "/"),
            ("/workspace/app/", "x/", "/workspace/app/x"),
            ("", "x", "/workspace/x"),
            ("not/absolute", "x", "/workspace/x"),
        ] {
            assert_eq!(
                Workdir::new(workdir).resolve(path),
                Path::new(expected),
                "{path} in {workdir}"
            );
        }
    }
}
