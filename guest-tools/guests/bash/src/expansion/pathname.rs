//! Pathname expansion over the shell's view of the file system.

use bash_text::glob::{self, Entry, Files, Kind};
use bash_text::pattern::Piece;
use bstr::BString;

use crate::state::{Shell, Shopt};
use crate::sys;

/// The file system below the shell's own working directory.
struct View<'a> {
    shell: &'a Shell,
}

impl Files for View<'_> {
    fn list(&mut self, directory: &[u8]) -> Option<Vec<Entry>> {
        let entries = sys::list(&self.shell.absolute(directory))?;
        Some(
            entries
                .into_iter()
                .map(|(name, kind)| Entry {
                    name,
                    kind: match kind {
                        sys::Kind::Directory => Kind::Directory,
                        sys::Kind::Symlink => Kind::Link,
                        _ => Kind::Other,
                    },
                })
                .collect(),
        )
    }

    fn exists(&mut self, path: &[u8]) -> bool {
        sys::stat(self.shell.absolute(path), false).is_ok()
    }

    fn is_directory(&mut self, path: &[u8]) -> bool {
        sys::stat(self.shell.absolute(path), true)
            .is_ok_and(|stat| stat.kind == sys::Kind::Directory)
    }
}

impl Shell {
    /// Returns the paths that a pattern matches, sorted; none when nothing does.
    pub fn matching_paths(&self, pieces: &[Piece<'_>]) -> Vec<BString> {
        let options = glob::Options {
            dotglob: self.options.has_shopt(Shopt::DotGlob),
            extglob: self.options.has_shopt(Shopt::ExtGlob),
            globskipdots: self.options.has_shopt(Shopt::GlobSkipDots),
            globstar: self.options.has_shopt(Shopt::GlobStar),
            nocaseglob: self.options.has_shopt(Shopt::NoCaseGlob),
        };
        let ignored = match self.get(b"GLOBIGNORE") {
            Some(value) if !value.is_empty() => glob::ignore_patterns(&value, options.extglob),
            _ => Vec::new(),
        };
        glob::expand(pieces, &options, &ignored, &mut View { shell: self })
    }
}
