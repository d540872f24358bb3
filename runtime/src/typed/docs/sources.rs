//! WIT sources, from a folder or from memory, parsed within bounds.
//!
//! The layout is the usual one: `*.wit` at the top are the package, `deps/NAME.wit` and
//! `deps/NAME/*.wit` are what it uses. Everything else is passed over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use wit_parser::{Resolve, SourceMap, UnresolvedPackageGroup};

use super::DocsError;
use crate::typed::contained::contained;
use crate::typed::text::shortened;

/// The most WIT files read for one component.
pub const WIT_FILES_MAX: usize = 512;
/// The most WIT text read for one component, in bytes. All of WASI with its comments is a tenth of it.
pub const WIT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest report of a parse error, in bytes.
const PARSE_ERROR_BYTES_MAX: usize = 2 * 1024;
/// The most packages in the sources. Their order is found by recursion along their dependencies, and
/// an exhausted stack would end the process.
const PACKAGES_MAX: usize = 512;
/// The most world items the sources may expand to. A world repeats all that it includes, so a page of
/// worlds that each include the one before grows with the square of its length.
const WORLD_ITEMS_MAX: usize = 1_000_000;

/// Where the WIT text of a component is.
#[derive(Debug, Clone)]
pub enum WitSources {
    /// A folder that the caller trusts: links in it are followed.
    Folder(PathBuf),
    /// Pairs of a path relative to the folder, with `/` between its parts, and the text.
    Files(Vec<(String, String)>),
}

/// Parses the sources into one set of resolved packages.
pub(super) fn resolve(wit: &WitSources) -> Result<Resolve, DocsError> {
    let files = match wit {
        WitSources::Folder(folder) => read_folder(folder)?,
        WitSources::Files(files) => {
            let mut budget = Budget::default();
            for (_, text) in files {
                budget.spend(text.len())?;
            }
            files.clone()
        }
    };
    contained(|| parse(grouped(files)))
        .unwrap_or_else(|| Err(DocsError::InvalidWit("the parser gave up on it".to_owned())))
}

/// The files of the main package, and those of each dependency.
#[derive(Default)]
struct Groups {
    main: Vec<(String, String)>,
    deps: BTreeMap<String, Vec<(String, String)>>,
}

fn grouped(files: Vec<(String, String)>) -> Groups {
    let mut groups = Groups::default();
    for (path, text) in files {
        let parts: Vec<_> = path.split('/').collect();
        let group = match parts.as_slice() {
            [_] => &mut groups.main,
            ["deps", name] => groups.deps.entry((*name).to_owned()).or_default(),
            ["deps", folder, _] => groups.deps.entry(format!("{folder}/")).or_default(),
            _ => continue,
        };
        if path.ends_with(".wit") {
            group.push((path, text));
        }
    }
    groups.deps.retain(|_, files| !files.is_empty());
    groups
}

fn parse(groups: Groups) -> Result<Resolve, DocsError> {
    let main = parse_group(groups.main)?;
    let deps = groups
        .deps
        .into_values()
        .map(parse_group)
        .collect::<Result<Vec<_>, _>>()?;
    check_expansion(deps.iter().chain([&main]))?;
    let mut resolve = Resolve::default();
    match resolve.push_groups(main, deps) {
        Ok(_) => Ok(resolve),
        Err(error) => Err(invalid(&error.to_string())),
    }
}

/// Checks what resolving would cost, before it does.
fn check_expansion<'a>(
    groups: impl Iterator<Item = &'a UnresolvedPackageGroup>,
) -> Result<(), DocsError> {
    let (mut packages, mut worlds, mut items) = (0_usize, 0_usize, 0_usize);
    for package in groups.flat_map(|group| group.nested.iter().chain([&group.main])) {
        packages += 1;
        worlds += package.worlds.len();
        // A world also imports every interface that those it names use.
        items += package.interfaces.len();
        for (_, world) in package.worlds.iter() {
            items += world.imports.len() + world.exports.len();
        }
    }
    if packages > PACKAGES_MAX {
        return Err(DocsError::TooLarge {
            what: "WIT packages",
            max: PACKAGES_MAX,
        });
    }
    if worlds.saturating_mul(items) > WORLD_ITEMS_MAX {
        return Err(DocsError::TooLarge {
            what: "items of all worlds",
            max: WORLD_ITEMS_MAX,
        });
    }
    Ok(())
}

fn parse_group(files: Vec<(String, String)>) -> Result<UnresolvedPackageGroup, DocsError> {
    let mut map = SourceMap::default();
    for (path, text) in files {
        map.push_str(&path, text);
    }
    map.parse()
        .map_err(|(map, error)| invalid(&error.render(&map)))
}

fn invalid(report: &str) -> DocsError {
    DocsError::InvalidWit(shortened(report.trim(), PARSE_ERROR_BYTES_MAX))
}

/// Counts files and bytes, so that an endless folder ends.
#[derive(Default)]
struct Budget {
    files: usize,
    bytes: usize,
}

impl Budget {
    fn spend(&mut self, bytes: usize) -> Result<(), DocsError> {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.files > WIT_FILES_MAX {
            return Err(DocsError::TooLarge {
                what: "WIT files",
                max: WIT_FILES_MAX,
            });
        }
        if self.bytes > WIT_BYTES_MAX {
            return Err(DocsError::TooLarge {
                what: "bytes of WIT",
                max: WIT_BYTES_MAX,
            });
        }
        Ok(())
    }
}

fn read_folder(folder: &Path) -> Result<Vec<(String, String)>, DocsError> {
    let mut budget = Budget::default();
    let mut files = Vec::new();
    read_level(folder, "", &mut budget, &mut files)?;
    let deps = folder.join("deps");
    if deps.is_dir() {
        read_level(&deps, "deps/", &mut budget, &mut files)?;
        for (name, path) in entries(&deps)? {
            if path.is_dir() {
                read_level(&path, &format!("deps/{name}/"), &mut budget, &mut files)?;
            }
        }
    }
    Ok(files)
}

fn read_level(
    folder: &Path,
    prefix: &str,
    budget: &mut Budget,
    files: &mut Vec<(String, String)>,
) -> Result<(), DocsError> {
    for (name, path) in entries(folder)? {
        if !name.ends_with(".wit") || !path.is_file() {
            continue;
        }
        let text = read_bounded(&path)?;
        budget.spend(text.len())?;
        files.push((format!("{prefix}{name}"), text));
    }
    Ok(())
}

/// Reads no more than the whole budget, so that a device or a growing file ends too.
fn read_bounded(path: &Path) -> Result<String, DocsError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| {
            file.take(WIT_BYTES_MAX as u64 + 1)
                .read_to_string(&mut text)
        })
        .map_err(unreadable(path))?;
    Ok(text)
}

/// The entries of a folder with names in UTF-8, in order of name: the same folder, the same section.
fn entries(folder: &Path) -> Result<BTreeMap<String, PathBuf>, DocsError> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let entry = entry.map_err(unreadable(folder))?;
        if let Ok(name) = entry.file_name().into_string() {
            found.insert(name, entry.path());
        }
    }
    Ok(found)
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> DocsError {
    let path = path.display().to_string();
    move |source| DocsError::Unreadable { path, source }
}
