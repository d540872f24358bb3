//! Reading what a session left in its outputs, without following where the agent's links lead.

use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};

use super::{OutputFile, Outputs};

/// Entries that are looked at, files and folders.
const ENTRIES_MAX: usize = 100_000;
/// Folders that lie in each other.
const DEPTH_MAX: usize = 64;
/// Bytes that are read at a time.
const PART_BYTES: usize = 256 << 10;

/// Returns the files below `folder` in order of their paths; none if there is no such folder.
pub(super) fn list(folder: &Path, files_max: usize) -> io::Result<Outputs> {
    let root = match Dir::open_ambient_dir(folder, ambient_authority()) {
        Ok(root) => root,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Outputs::default()),
        Err(error) => return Err(error),
    };
    let mut outputs = Outputs::default();
    let mut folders = vec![(root, String::new(), 0)];
    let mut entries = 0;
    while let Some((dir, path, depth)) = folders.pop() {
        // Agents may be at work elsewhere in here: what vanishes is not there.
        let Ok(listed) = dir.entries() else { continue };
        for entry in listed.flatten() {
            entries += 1;
            if entries > ENTRIES_MAX {
                outputs.is_cut = true;
                break;
            }
            let Ok(name) = entry.file_name().into_string() else {
                outputs.is_cut = true;
                continue;
            };
            let Ok(meta) = dir.symlink_metadata(&name) else {
                continue;
            };
            let path = format!("{path}{name}");
            if meta.is_dir() {
                match dir.open_dir(&name) {
                    Ok(inner) if depth < DEPTH_MAX => {
                        folders.push((inner, format!("{path}/"), depth + 1));
                    }
                    _ => outputs.is_cut = true,
                }
            } else if meta.is_file() {
                outputs.files.push(OutputFile {
                    path,
                    bytes: meta.len(),
                    mark: mark(&meta),
                });
            }
        }
    }
    outputs.files.sort_by(|a, b| a.path.cmp(&b.path));
    outputs.is_cut |= outputs.files.len() > files_max;
    outputs.files.truncate(files_max);
    Ok(outputs)
}

/// A guest can set the time of a change of content, but not the one of the change itself.
fn mark(meta: &Metadata) -> String {
    format!(
        "{}.{}.{}.{}",
        meta.ino(),
        meta.len(),
        meta.ctime(),
        meta.ctime_nsec()
    )
}

/// Returns the content of the file at `path` below `folder`, which was listed before.
pub(super) fn read(folder: &Path, path: &str) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
    let root = Dir::open_ambient_dir(folder, ambient_authority())?;
    let mut options = OpenOptions::new();
    // What was a file may be a pipe now, whose opening would wait for a writer.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    options.read(true).custom_flags(flags.bits().cast_signed());
    let file = root.open_with(path, &options)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no longer a file"));
    }
    Ok(stream::try_unfold(file, next_part).boxed())
}

async fn next_part(mut file: File) -> io::Result<Option<(Bytes, File)>> {
    let read = tokio::task::spawn_blocking(move || {
        let mut part = Vec::with_capacity(PART_BYTES);
        Read::by_ref(&mut file)
            .take(PART_BYTES as u64)
            .read_to_end(&mut part)?;
        Ok((!part.is_empty()).then(|| (Bytes::from(part), file)))
    });
    read.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn files_are_listed_and_read_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let outputs = folder.path().join("outputs");
        assert_eq!(list(&outputs, 10).unwrap(), Outputs::default());
        std::fs::create_dir_all(outputs.join("b/c")).unwrap();
        std::fs::write(folder.path().join("secret"), "s").unwrap();
        std::fs::write(outputs.join("z"), "zz").unwrap();
        std::fs::write(outputs.join("b/c/d"), vec![7; 3 * PART_BYTES + 1]).unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), outputs.join("link")).unwrap();
        std::os::unix::fs::symlink(folder.path(), outputs.join("b/up")).unwrap();
        let listed = list(&outputs, 10).unwrap();
        let paths: Vec<&str> = listed.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!((paths, listed.is_cut), (vec!["b/c/d", "z"], false));
        let content: Vec<Bytes> = read(&outputs, "b/c/d")
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(content.concat(), vec![7; 3 * PART_BYTES + 1]);
        for bad in ["link", "b/up/secret", "../secret", "b", "none"] {
            assert!(read(&outputs, bad).is_err(), "{bad}");
        }
        let cut = list(&outputs, 1).unwrap();
        assert_eq!((cut.files.len(), cut.is_cut), (1, true));
    }

    #[test]
    fn a_change_changes_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        let mark = || list(folder.path(), 1).unwrap().files[0].mark.clone();
        std::fs::write(folder.path().join("a"), "1").unwrap();
        let first = mark();
        assert_eq!(mark(), first);
        // Another content of the same size, under the same name.
        std::fs::write(folder.path().join("new"), "2").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("a")).unwrap();
        assert_ne!(mark(), first);
    }
}
