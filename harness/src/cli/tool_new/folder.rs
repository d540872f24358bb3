//! A folder of files that is there as a whole or not at all.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the folder was not made.
#[derive(Debug, Error)]
pub(super) enum FolderError {
    #[error("{} is not empty; nothing was changed in it", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} is there and no folder", .0.display())]
    NoFolder(PathBuf),
    #[error("the folder {} does not exist, in which {} would be made", parent.display(), folder.display())]
    NoParent { parent: PathBuf, folder: PathBuf },
    #[error("{} cannot be made", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Makes `folder` with these files, or fills it if it is empty. Paths are relative, with `/` between their parts.
pub(super) fn write(folder: &Path, files: &[(&str, String)]) -> Result<(), FolderError> {
    let io = |source| FolderError::Io {
        path: folder.to_owned(),
        source,
    };
    let is_there = match std::fs::symlink_metadata(folder) {
        Ok(_) if !folder.is_dir() => return Err(FolderError::NoFolder(folder.to_owned())),
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(io(error)),
    };
    if is_there && std::fs::read_dir(folder).map_err(io)?.next().is_some() {
        return Err(FolderError::NotEmpty(folder.to_owned()));
    }
    let parent = match folder.parent() {
        _ if is_there => folder,
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !parent.is_dir() {
        return Err(FolderError::NoParent {
            parent: parent.to_owned(),
            folder: folder.to_owned(),
        });
    }
    // On the same disk, so that it takes its place in one step; removed with all that is in it on failure.
    let staged = tempfile::Builder::new()
        .prefix(".sinew-new-")
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(parent)
        .map_err(io)?;
    fill(staged.path(), files).map_err(io)?;
    if is_there {
        return move_into(staged.path(), folder).map_err(io);
    }
    std::fs::rename(staged.path(), folder).map_err(io)?;
    // Nothing is left at the path that it would remove.
    drop(staged.keep());
    Ok(())
}

fn fill(folder: &Path, files: &[(&str, String)]) -> std::io::Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Moves what is in a folder to one that was empty, which someone may stand in, so that it must stay.
fn move_into(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut moved = Vec::new();
    let outcome = std::fs::read_dir(from)?.try_for_each(|entry| {
        let entry = entry?;
        let target = to.join(entry.file_name());
        std::fs::rename(entry.path(), &target)?;
        moved.push(target);
        Ok(())
    });
    if outcome.is_err() {
        for path in moved {
            // Whatever cannot be removed again was named by the error already.
            let _ = match path.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<(&'static str, String)> {
        vec![("a", "one\n".to_owned()), ("b/c/d", "two\n".to_owned())]
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_made_or_an_empty_one_filled() {
        let own = tempfile::tempdir().unwrap();
        std::fs::create_dir(own.path().join("empty")).unwrap();
        for name in ["new", "empty"] {
            let folder = own.path().join(name);
            write(&folder, &files()).unwrap();
            assert_eq!(names(&folder), ["a", "b"]);
            let text = std::fs::read_to_string(folder.join("b/c/d")).unwrap();
            assert_eq!(text, "two\n");
        }
        assert_eq!(names(own.path()), ["empty", "new"]);
    }

    #[test]
    fn what_is_there_stays_and_nothing_half_made_does() {
        let own = tempfile::tempdir().unwrap();
        let file = own.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        let is = |folder: &Path| write(folder, &files()).unwrap_err();
        assert!(matches!(is(own.path()), FolderError::NotEmpty(_)));
        assert!(matches!(is(&file), FolderError::NoFolder(_)));
        assert!(matches!(
            is(&file.join("x")),
            FolderError::Io { .. } | FolderError::NoParent { .. }
        ));
        let deep = own.path().join("no/parent");
        assert!(matches!(is(&deep), FolderError::NoParent { .. }));
        // The second file's folder is the first one.
        let clash = [("a", String::new()), ("a/b", String::new())];
        let failed = write(&own.path().join("clash"), &clash).unwrap_err();
        assert!(matches!(failed, FolderError::Io { .. }));
        let empty = own.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        write(&empty, &clash).unwrap_err();
        assert!(names(&empty).is_empty());
        assert_eq!(names(own.path()), ["empty", "file"]);
    }
}
