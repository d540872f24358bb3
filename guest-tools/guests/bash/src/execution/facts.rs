//! What `test` and `[[` ask of the world.

use bash_text::test::Facts;

use crate::state::{SetOption, Shell};
use crate::sys;

/// Answers questions from the state of a shell.
pub struct World<'a> {
    /// The shell.
    pub shell: &'a mut Shell,
}

impl World<'_> {
    fn stat(&self, path: &[u8], follow: bool) -> Option<sys::Stat> {
        if path.is_empty() {
            return None;
        }
        let number = match path {
            b"/dev/stdin" => Some(b"0".as_slice()),
            b"/dev/stdout" => Some(b"1".as_slice()),
            b"/dev/stderr" => Some(b"2".as_slice()),
            path => path.strip_prefix(b"/dev/fd/"),
        };
        if let Some(number) = number {
            let number = bash_text::arithmetic::parse_integer(number)?;
            let open = self.shell.descriptors.get(u32::try_from(number).ok()?)?;
            return open.existing_descriptor()?.stat().ok();
        }
        sys::stat(self.shell.absolute(path), follow).ok()
    }
}

impl Facts for World<'_> {
    fn file(&mut self, operator: u8, path: &[u8]) -> bool {
        let follow = !matches!(operator, b'h' | b'L');
        let Some(stat) = self.stat(path, follow) else {
            return false;
        };
        match operator {
            b'a' | b'e' | b'O' | b'G' => true,
            b'b' => stat.kind == sys::Kind::BlockDevice,
            b'c' => stat.kind == sys::Kind::CharacterDevice,
            b'd' => stat.kind == sys::Kind::Directory,
            b'f' => stat.kind == sys::Kind::Regular,
            b'g' => stat.mode & 0o2000 != 0,
            b'u' => stat.mode & 0o4000 != 0,
            b'k' => stat.mode & 0o1000 != 0,
            b'h' | b'L' => stat.kind == sys::Kind::Symlink,
            b'p' => stat.kind == sys::Kind::Fifo,
            b'S' => stat.kind == sys::Kind::Socket,
            b's' => stat.size > 0,
            b'r' | b'w' => sys::may(&self.shell.absolute(path), &stat, operator),
            b'x' => sys::may(&self.shell.absolute(path), &stat, operator),
            b'N' => stat.modified > stat.accessed,
            _ => false,
        }
    }

    fn compare_files(&mut self, operator: u8, left: &[u8], right: &[u8]) -> bool {
        let (left, right) = (self.stat(left, true), self.stat(right, true));
        match operator {
            b'n' => match (left, right) {
                (Some(left), Some(right)) => left.modified > right.modified,
                (Some(_), None) => true,
                _ => false,
            },
            b'o' => match (left, right) {
                (Some(left), Some(right)) => left.modified < right.modified,
                (None, Some(_)) => true,
                _ => false,
            },
            _ => match (left, right) {
                (Some(left), Some(right)) => {
                    left.device == right.device && left.inode == right.inode
                }
                _ => false,
            },
        }
    }

    fn is_terminal(&mut self, descriptor: i64) -> bool {
        u32::try_from(descriptor)
            .ok()
            .and_then(|number| self.shell.descriptors.get(number))
            .and_then(|open| open.existing_descriptor())
            .is_some_and(|descriptor| sys::is_terminal(&descriptor))
    }

    fn is_set(&mut self, name: &[u8]) -> bool {
        self.shell.is_set_expanded(name)
    }

    fn is_reference(&mut self, name: &[u8]) -> bool {
        self.shell.is_reference(name)
            && self
                .shell
                .variables
                .get(name)
                .is_some_and(|variable| variable.text().is_some())
    }

    fn is_option(&mut self, name: &[u8]) -> bool {
        SetOption::by_name(name).is_some_and(|option| self.shell.options.has(option))
    }
}
