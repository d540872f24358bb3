//! What a guest gets from the interface `bulk`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::bindings::sinew::process::bulk::{Host as _, HostFolder};
use super::bindings::sinew::process::descriptors::{HostDescriptor, Kind};
use super::*;
use crate::fs::{Rights, VfsBuilder};
use crate::kernel::pipe;

struct State {
    table: ResourceTable,
    vfs: Arc<Vfs>,
    descriptors: Descriptors,
    folder: TempDir,
}

impl State {
    fn new(numbered: BTreeMap<u32, Arc<Description>>) -> Self {
        let folder = TempDir::new().unwrap();
        let dir = cap_std::fs::Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority());
        let builder = VfsBuilder::default().mount("/workspace", dir.unwrap(), Rights::ReadOnly);
        Self {
            table: ResourceTable::new(),
            vfs: builder.build().unwrap(),
            descriptors: Descriptors::new(numbered, None),
            folder,
        }
    }

    fn file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn view(&mut self) -> KernelView<'_> {
        KernelView {
            table: &mut self.table,
            vfs: &self.vfs,
            descriptors: &self.descriptors,
            process: None,
            session: None,
        }
    }

    fn list(&mut self, path: &str) -> Result<Vec<(String, Kind)>, Errno> {
        let (mut batch, folder) = self.view().list_at(path.to_owned(), true).unwrap()?;
        let mut all = Vec::new();
        loop {
            let names = batch.names.split_terminator('\0').map(str::to_owned);
            assert_eq!(names.clone().count(), batch.kinds.len());
            assert_eq!(batch.stats.len(), batch.kinds.len());
            all.extend(names.zip(batch.kinds));
            let Some(folder) = &folder else {
                break;
            };
            let borrowed = Resource::new_borrow(folder.rep());
            batch = self.view().next(borrowed).unwrap()?;
            if batch.kinds.is_empty() {
                break;
            }
        }
        if let Some(folder) = folder {
            HostFolder::drop(&mut self.view(), folder).unwrap();
        }
        all.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(all)
    }

    /// Returns a file's bytes in the pieces that a guest gets, and what ended them.
    fn read(&mut self, path: &str, max: u32) -> Result<(Vec<Vec<u8>>, Option<Errno>), Errno> {
        let (first, rest) = self.view().read_at(path.to_owned(), max).unwrap()?;
        let mut pieces = vec![first];
        let Some(rest) = rest else {
            return Ok((pieces, None));
        };
        let end = loop {
            let borrowed = Resource::new_borrow(rest.rep());
            match self.view().read(borrowed, max).unwrap() {
                Ok(piece) if piece.is_empty() => break None,
                Ok(piece) => pieces.push(piece),
                Err(errno) => break Some(errno),
            }
        };
        HostDescriptor::drop(&mut self.view(), rest).unwrap();
        Ok((pieces, end))
    }
}

#[test]
fn folders_are_listed_in_one_call_or_more() {
    let mut state = State::new(BTreeMap::new());
    assert_eq!(state.list("/workspace"), Ok(Vec::new()));
    state.file("a", b"");
    std::fs::create_dir(state.folder.path().join("b")).unwrap();
    std::os::unix::fs::symlink("b", state.folder.path().join("c")).unwrap();
    let expected = [
        ("a", Kind::Regular),
        ("b", Kind::Directory),
        ("c", Kind::Symlink),
    ];
    let expected = expected
        .map(|(name, kind)| (name.to_owned(), kind))
        .to_vec();
    assert_eq!(state.list("/workspace"), Ok(expected));
    for number in 0..5_000 {
        state.file(&format!("b/{number}"), b"");
    }
    assert_eq!(state.list("/workspace/c").unwrap().len(), 5_000);
    assert_eq!(state.list("/workspace/a"), Err(Errno::NotDirectory));
    assert_eq!(state.list("/workspace/d"), Err(Errno::NoEntry));
    let devices = state.list("/dev").unwrap();
    assert!(devices.contains(&("null".to_owned(), Kind::CharacterDevice)));
    assert_eq!(state.vfs.usage().handles, 0);
    assert!(state.table.is_empty());
}

#[test]
fn files_are_read_in_one_call_or_go_on_where_it_ended() {
    let mut state = State::new(BTreeMap::new());
    state.file("empty", b"");
    state.file("five", b"12345");
    let pieces = |pieces: &[&[u8]]| (pieces.iter().map(|piece| piece.to_vec()).collect(), None);
    assert_eq!(state.read("/workspace/empty", 5), Ok(pieces(&[b""])));
    assert_eq!(state.read("/workspace/five", 5), Ok(pieces(&[b"12345"])));
    assert_eq!(
        state.read("/workspace/five", 2),
        Ok(pieces(&[b"12", b"34", b"5"]))
    );
    assert_eq!(state.read("/dev/null", 5), Ok(pieces(&[b""])));
    assert_eq!(state.read("/workspace/none", 5), Err(Errno::NoEntry));
    assert_eq!(
        state.read("/workspace", 5),
        Ok((vec![Vec::new()], Some(Errno::IsDirectory)))
    );
    assert_eq!(state.vfs.usage().handles, 0);
    assert!(state.table.is_empty());
}

#[test]
fn a_pipe_gives_what_it_has_and_goes_on() {
    let (reader, writer) = pipe();
    let numbered = BTreeMap::from([(0, Arc::new(Description::Reader(reader)))]);
    let mut state = State::new(numbered);
    let nothing = vec![Vec::new()];
    assert_eq!(
        state.read("/dev/stdin", 9),
        Ok((nothing.clone(), Some(Errno::Again)))
    );
    writer.write(b"12345").unwrap();
    let two = vec![b"123".to_vec(), b"45".to_vec()];
    assert_eq!(state.read("/dev/fd/0", 3), Ok((two, Some(Errno::Again))));
    drop(writer);
    assert_eq!(state.read("/dev/stdin", 9), Ok((nothing, None)));
    assert_eq!(state.read("/dev/fd/1", 9), Err(Errno::NoEntry));
}
