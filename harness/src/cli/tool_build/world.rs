//! The world that a component is made for, read from the project's WIT.

use std::path::Path;

use sinew_runtime::typed::docs::{DocsError, WitSources, embed};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldId, WorldItem};

use super::error::BuildError;

const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A world, with everything that it names.
pub(in crate::cli) struct World {
    resolve: Resolve,
    id: WorldId,
    name: String,
}

impl World {
    /// Reads a folder of WIT; without a name it must have one world alone.
    pub(in crate::cli) fn read(folder: &Path, name: Option<&str>) -> Result<Self, BuildError> {
        let wrong = |reason: String| BuildError::Wit {
            folder: folder.to_owned(),
            reason,
        };
        let mut resolve = Resolve::default();
        let (package, _) = resolve
            .push_path(folder)
            .map_err(|error| wrong(mistake(folder).unwrap_or_else(|| format!("{error:#}"))))?;
        let id = resolve
            .select_world(&[package], name)
            .map_err(|error| wrong(format!("{error:#}")))?;
        let name = resolve.worlds.get(id).map(|world| world.name.clone());
        Ok(Self {
            name: name.ok_or_else(|| wrong("the world is gone".to_owned()))?,
            resolve,
            id,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the world asks for something of a namespace, as `wasi`, or of a package, as `wasi:http`.
    pub(in crate::cli) fn imports(&self, whose: &str) -> bool {
        let Some(world) = self.resolve.worlds.get(self.id) else {
            return false;
        };
        world.imports.values().any(|item| {
            let WorldItem::Interface { id, .. } = item else {
                return false;
            };
            let interface = self.resolve.interfaces.get(*id);
            let package = interface.and_then(|interface| interface.package);
            let package = package.and_then(|package| self.resolve.packages.get(package));
            package.is_some_and(|package| {
                let name = &package.name;
                name.namespace == whose || format!("{}:{}", name.namespace, name.name) == whose
            })
        })
    }

    /// Returns the C of the world's functions: names of files and what is in them. The object file with the world's
    /// type is among them.
    pub(super) fn c_bindings(&self) -> Result<Vec<(String, Vec<u8>)>, BuildError> {
        let mut files = Files::default();
        // The generator renames types as it goes.
        let mut resolve = self.resolve.clone();
        wit_bindgen_c::Opts::default()
            .build()
            .generate(&mut resolve, self.id, &mut files)
            .map_err(|error| BuildError::NoComponent {
                program: "wit-bindgen".to_owned(),
                reason: format!("{error:#}"),
            })?;
        let files = files.iter();
        Ok(files
            .map(|(name, content)| (name.to_owned(), content.to_owned()))
            .collect())
    }
}

/// Returns what is wrong with a folder of WIT, with the line: the parser above does not name it.
fn mistake(folder: &Path) -> Option<String> {
    match embed(EMPTY_COMPONENT, &WitSources::Folder(folder.to_owned())) {
        Err(DocsError::InvalidWit(report)) => Some(report),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIT: &str = "package local:some;\n\
        interface mine { f: func(); }\n\
        interface clock { now: func() -> u64; }\n\
        world one { import clock; export mine; }\n\
        world two { export mine; }\n";

    #[test]
    fn a_world_is_found_by_name_and_says_what_it_imports() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("world.wit"), WIT).unwrap();
        let one = World::read(folder.path(), Some("one")).unwrap();
        assert!(one.imports("local") && one.imports("local:some"));
        assert!(!one.imports("wasi") && !one.imports("local:other"));
        let two = World::read(folder.path(), Some("two")).unwrap();
        assert!(!two.imports("local"));
        let reason = |name| match World::read(folder.path(), name) {
            Err(BuildError::Wit { reason, .. }) => reason,
            _ => String::new(),
        };
        assert!(reason(None).contains("multiple worlds"), "{}", reason(None));
        assert!(reason(Some("three")).contains("three"));
        std::fs::write(folder.path().join("world.wit"), "package").unwrap();
        assert!(reason(None).contains("world.wit"), "{}", reason(None));
    }

    #[test]
    fn the_bindings_of_c_declare_what_is_to_be_defined() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("world.wit"), WIT).unwrap();
        let files = World::read(folder.path(), Some("two"))
            .unwrap()
            .c_bindings()
            .unwrap();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["two.c", "two.h", "two_component_type.o"]);
        let header = String::from_utf8_lossy(&files[1].1);
        assert!(
            header.contains("exports_local_some_mine_f(void)"),
            "{header}"
        );
    }
}
