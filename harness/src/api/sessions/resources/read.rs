//! Reading the resources that a request asks for, without any effect.

use crate::api::body::{Field, Fields, Invalid, Spot};
use crate::api::error::quoted;
use crate::archive::{Paths, problem_of_path};
use crate::hands::UPLOADS;
use crate::ids::ID_BYTES_MAX;

use super::FILES_MAX;
use super::memory::{WantedStore, read_store};

/// Most memory stores of one session.
const MEMORY_STORES_MAX: usize = 8;
/// Longest mount path in characters.
const MOUNT_PATH_CHARACTERS_MAX: usize = 1_024;
/// Longest token in characters.
const TOKEN_CHARACTERS_MAX: usize = 4_096;
/// Longest name of an owner, a repository or a branch in characters.
const NAME_CHARACTERS_MAX: usize = 255;

/// A resource that a client wants mounted.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::api::sessions) enum Wanted {
    /// A file.
    File(WantedFile),
    /// A memory store.
    Store(WantedStore),
}

/// A file that a client wants mounted.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::api::sessions) struct WantedFile {
    /// The file to be copied.
    pub(in crate::api::sessions) file_id: String,
    /// The path of the copy, below the uploads.
    pub(in crate::api::sessions) mount_path: String,
}

/// Reads `resources` of a session's creation.
pub(in crate::api::sessions) fn read(field: Field) -> Result<Vec<Wanted>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(Vec::new());
    };
    let list = spot.path.clone();
    let mut paths = Paths::default();
    let mut wanted = Vec::new();
    let mut stores: Vec<String> = Vec::new();
    for entry in spot.array(FILES_MAX + MEMORY_STORES_MAX)? {
        let path = entry.path.clone();
        let (tag, fields) = entry.tagged()?;
        match tag
            .clone()
            .one_of(&["file", "github_repository", "memory_store"])?
        {
            "file" => {
                let file = read_file(fields)?;
                occupy(&mut paths, &file.mount_path).map_err(|why| Invalid::at(path, why))?;
                wanted.push(Wanted::File(file));
            }
            "github_repository" => return Err(refuse_repository(&tag, fields)),
            _ => {
                let store = read_store(fields)?;
                if stores.contains(&store.store_id) {
                    return Err(Invalid::at(path, "the memory store is mounted already"));
                }
                if stores.len() == MEMORY_STORES_MAX {
                    let message =
                        format!("at most {MEMORY_STORES_MAX} memory stores can be mounted");
                    return Err(Invalid::at(path, message));
                }
                stores.push(store.store_id.clone());
                wanted.push(Wanted::Store(store));
            }
        }
    }
    let files = wanted.len() - stores.len();
    if files > FILES_MAX {
        let message = format!("at most {FILES_MAX} files, got {files}");
        return Err(Invalid::at(list, message));
    }
    Ok(wanted)
}

/// Refuses a path that is taken, by another file or by a folder that another file lies in.
pub(super) fn occupy(paths: &mut Paths, mount_path: &str) -> Result<(), String> {
    let below = mount_path
        .strip_prefix(UPLOADS)
        .unwrap_or_default()
        .trim_start_matches('/');
    paths
        .add(below)
        .map_err(|error| format!("mount_path: {error} among the session's files"))
}

/// Reads a file resource whose `type` was taken already.
pub(super) fn read_file(mut fields: Fields) -> Result<WantedFile, Invalid> {
    let file_id = fields.required("file_id")?.text(1, ID_BYTES_MAX)?;
    let mount_path = match fields.take("mount_path").given() {
        Some(spot) => mount_path(spot)?,
        None => match problem_of_path(&file_id) {
            None if !file_id.contains('/') => format!("{UPLOADS}/{file_id}"),
            _ => {
                let path = fields.path_of("file_id");
                return Err(Invalid::at(path, "this is no file id"));
            }
        },
    };
    fields.finish()?;
    Ok(WantedFile {
        file_id,
        mount_path,
    })
}

/// Every path is rooted below the uploads, whether it says so or not.
fn mount_path(spot: Spot) -> Result<String, Invalid> {
    let at = spot.path.clone();
    let text = spot.text(1, MOUNT_PATH_CHARACTERS_MAX)?;
    let below = text
        .strip_prefix(UPLOADS)
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(&text);
    let below = below.strip_prefix('/').unwrap_or(below);
    match problem_of_path(below) {
        Some(why) => Err(Invalid::at(at, format!("{} {why}", quoted(&text)))),
        None => Ok(format!("{UPLOADS}/{below}")),
    }
}

/// Returns what is wrong with a repository resource; if nothing is, that repositories are not served.
fn refuse_repository(tag: &Spot, fields: Fields) -> Invalid {
    match check_repository(fields) {
        Err(invalid) => invalid,
        Ok(()) => tag
            .refuse("repositories are not served yet: have the agent fetch it, or mount its files"),
    }
}

fn check_repository(mut fields: Fields) -> Result<(), Invalid> {
    let url = fields.required("url")?;
    let at = url.path.clone();
    let url = url.text(1, 1_024)?;
    let is_part = |part: &str| {
        (1..=NAME_CHARACTERS_MAX).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && !matches!(part, "." | "..")
    };
    let parts = url
        .strip_prefix("https://github.com/")
        .and_then(|rest| rest.split_once('/'));
    let is_good = parts.is_some_and(|(owner, repository)| {
        is_part(owner) && is_part(repository) && !repository.ends_with(".git")
    });
    if !is_good {
        let message = "expected https://github.com/owner/repo, without .git";
        return Err(Invalid::at(at, message));
    }
    if let Some(spot) = fields.take("authorization_token").given() {
        spot.text(1, TOKEN_CHARACTERS_MAX)?;
    }
    if let Some(spot) = fields.take("checkout").given() {
        checkout(spot)?;
    }
    if let Some(spot) = fields.take("mount_path").given() {
        let at = spot.path.clone();
        let text = spot.text(1, MOUNT_PATH_CHARACTERS_MAX)?;
        let below = text.strip_prefix("/workspace/").map(problem_of_path);
        if below != Some(None) {
            return Err(Invalid::at(at, "expected a path below /workspace"));
        }
    }
    fields.finish()
}

fn checkout(spot: Spot) -> Result<(), Invalid> {
    let (tag, mut fields) = spot.tagged()?;
    if tag.one_of(&["branch", "commit"])? == "branch" {
        fields.required("name")?.text(1, NAME_CHARACTERS_MAX)?;
    } else {
        let sha = fields.required("sha")?;
        let at = sha.path.clone();
        let sha = sha.string()?;
        if !matches!(sha.len(), 40 | 64) || !sha.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Invalid::at(at, "expected the full hash of a commit"));
        }
    }
    fields.finish()
}

/// Reads the body of a resource's update: a repository's new token.
pub(super) fn read_update(mut fields: Fields) -> Result<(), Invalid> {
    let token = fields.required("authorization_token")?;
    token.text(1, TOKEN_CHARACTERS_MAX)?;
    fields.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_value(value: Value) -> Result<Vec<Wanted>, Invalid> {
        let path = "resources".to_owned();
        read(Field::Given(Spot { path, value }))
    }

    #[test]
    fn mount_paths_are_rooted_below_the_uploads() {
        for (mount_path, expected) in [
            (Value::Null, "file_1"),
            (json!("/data/a.csv"), "data/a.csv"),
            (json!("a.csv"), "a.csv"),
            (json!("/mnt/session/uploads/x/y"), "x/y"),
            (json!("/mnt/session/uploadsx"), "mnt/session/uploadsx"),
            (json!("/workspace/a"), "workspace/a"),
        ] {
            let entry = json!({"type": "file", "file_id": "file_1", "mount_path": mount_path});
            let Wanted::File(file) = read_value(json!([entry])).unwrap().remove(0) else {
                panic!("a file was asked for");
            };
            assert_eq!(file.mount_path, format!("/mnt/session/uploads/{expected}"));
        }
    }

    #[test]
    fn refusals_name_their_place() {
        let file = |path: &str| json!({"type": "file", "file_id": "file_1", "mount_path": path});
        let store = |id: &str| json!({"type": "memory_store", "memory_store_id": id});
        let repository = |field: &str, value: Value| {
            let mut entry = json!({"type": "github_repository", "url": "https://github.com/o/r",
                "authorization_token": "t", "mount_path": "/workspace/r",
                "checkout": {"type": "branch", "name": "main"}});
            entry[field] = value;
            json!([entry])
        };
        for (value, fragment) in [
            (json!([{"type": "file"}]), "resources.0.file_id"),
            (json!([{"type": "folder"}]), "resources.0.type"),
            (json!([{"type": "file", "file_id": "a/b"}]), "no file id"),
            (json!([file("../x")]), "resources.0.mount_path"),
            (json!([file("/")]), "empty path"),
            (json!([file("/a//b")]), "empty, . or .."),
            (json!([file("/a"), file("/a")]), "resources.1: mount_path"),
            (
                json!([file("/a"), file("/a/b")]),
                "both a file and a folder",
            ),
            (
                json!([file("/a/b"), file("/a")]),
                "both a file and a folder",
            ),
            (
                json!([{"type": "memory_store"}]),
                "resources.0.memory_store_id",
            ),
            (
                json!([store("1"), store("1")]),
                "resources.1: the memory store is mounted",
            ),
            (
                json!((0..=8).map(|n| store(&n.to_string())).collect::<Vec<_>>()),
                "resources.8: at most 8",
            ),
            (
                json!([{"type": "memory_store", "memory_store_id": "m", "access": "write"}]),
                "resources.0.access",
            ),
            (
                repository("url", json!("https://github.com/o/r")),
                "repositories are not served",
            ),
            (
                repository("url", json!("https://github.com/o/r.git")),
                "resources.0.url",
            ),
            (
                repository("url", json!("http://github.com/o/r")),
                "resources.0.url",
            ),
            (
                repository("url", json!("https://github.com/o/r/x")),
                "resources.0.url",
            ),
            (repository("mount_path", json!("/etc")), "below /workspace"),
            (
                repository("mount_path", json!("/workspace/../x")),
                "below /workspace",
            ),
            (
                repository("checkout", json!({"type": "tag"})),
                "checkout.type",
            ),
            (
                repository("checkout", json!({"type": "commit", "sha": "abc"})),
                "checkout.sha",
            ),
            (repository("more", json!(1)), "unknown field"),
        ] {
            let error = read_value(value.clone()).unwrap_err().to_string();
            assert!(error.contains(fragment), "{value}: {error}");
        }
        let many: Vec<Value> = (0..=FILES_MAX).map(|n| file(&n.to_string())).collect();
        let error = read_value(json!(many)).unwrap_err().to_string();
        assert!(error.contains("at most 500 files, got 501"), "{error}");
    }
}
