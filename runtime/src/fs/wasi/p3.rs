//! `wasi:filesystem` 0.3. Its functions are asynchronous by type; these end in the call that begins them.

use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamProducer, StreamReader};
use wasmtime_wasi::p3::bindings::filesystem::preopens;
use wasmtime_wasi::p3::bindings::filesystem::types::{
    self, Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    ErrorCode, Filesize, HostDescriptor, HostDescriptorWithStore, MetadataHashValue, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasmtime_wasi::p3::filesystem::{FilesystemError, FilesystemResult};

use super::convert::{p3_flags, p3_hash, p3_kind, p3_options, p3_stat, p3_time};
use super::p3_pipe::{Consumer, Ending, Entries, Producer};
use super::stream::Place;
use super::{FsView, HandFs, relative};
use crate::fs::{FsError, Node};

/// How a stream of bytes ends.
type End = FutureReader<Result<(), ErrorCode>>;

fn follows(flags: PathFlags) -> bool {
    flags.contains(PathFlags::SYMLINK_FOLLOW)
}

fn with<U, R>(
    store: &Accessor<U, HandFs>,
    call: impl FnOnce(&mut FsView<'_>) -> FilesystemResult<R>,
) -> FilesystemResult<R> {
    store.with(|mut access| call(&mut access.get()))
}

/// Returns a stream and its end; of what could not be opened, an empty one and the reason.
fn produce<U, T, P>(
    mut store: Access<'_, U, HandFs>,
    made: Result<P, FsError>,
    mut ending: Ending,
    end: tokio::sync::oneshot::Receiver<Result<(), ErrorCode>>,
    producer: impl FnOnce(P, Ending) -> T,
) -> wasmtime::Result<(StreamReader<<T as StreamProducer<U>>::Item>, End)>
where
    T: StreamProducer<U>,
    T::Item: wasmtime::component::Lower + wasmtime::component::Lift + Send + Sync + 'static,
{
    let stream = match made {
        Ok(made) => StreamReader::new(&mut store, producer(made, ending))?,
        Err(error) => {
            ending.send(Err(error.into()));
            StreamReader::new(&mut store, std::iter::empty())?
        }
    };
    Ok((stream, FutureReader::new(&mut store, end)?))
}

fn consume<U>(
    mut store: Access<'_, U, HandFs>,
    fd: &Resource<Descriptor>,
    mut data: StreamReader<u8>,
    place: Place,
) -> wasmtime::Result<End> {
    let (mut ending, end) = Ending::new();
    let view = store.get();
    let node = view.node(fd)?;
    match view.output(node, place) {
        Ok(stream) => data.pipe(&mut store, Consumer::new(stream, ending))?,
        Err(error) => {
            data.close(&mut store)?;
            ending.send(Err(error.into()));
        }
    }
    FutureReader::new(&mut store, end)
}

impl preopens::Host for FsView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.root()
    }
}

impl types::Host for FsView<'_> {
    fn convert_error_code(&mut self, error: FilesystemError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }
}

impl HostDescriptor for FsView<'_> {
    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        Ok(self.drop_node(&fd)?)
    }
}

impl<U> HostDescriptorWithStore<U> for HandFs {
    fn read_via_stream(
        mut store: Access<'_, U, Self>,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> wasmtime::Result<(StreamReader<u8>, End)> {
        let (ending, end) = Ending::new();
        let view = store.get();
        let stream = view.node(&fd).map(|node| view.input(node, offset))?;
        produce(store, stream, ending, end, Producer::new)
    }

    fn write_via_stream(
        store: Access<'_, U, Self>,
        fd: Resource<Descriptor>,
        data: StreamReader<u8>,
        offset: Filesize,
    ) -> wasmtime::Result<End> {
        consume(store, &fd, data, Place::Offset(offset))
    }

    fn append_via_stream(
        store: Access<'_, U, Self>,
        fd: Resource<Descriptor>,
        data: StreamReader<u8>,
    ) -> wasmtime::Result<End> {
        consume(store, &fd, data, Place::End)
    }

    fn read_directory(
        mut store: Access<'_, U, Self>,
        fd: Resource<Descriptor>,
    ) -> wasmtime::Result<(StreamReader<DirectoryEntry>, End)> {
        let (ending, end) = Ending::new();
        let view = store.get();
        let list = view
            .node(&fd)
            .map(|node: Node| view.vfs.list(&node, view.fds))?;
        produce(store, list, ending, end, Entries::new)
    }

    async fn advise(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        _offset: Filesize,
        _length: Filesize,
        _advice: Advice,
    ) -> FilesystemResult<()> {
        // Advice about a cache that all hands share is not a guest's to give.
        with(store, |view| match view.node(&fd)?.is_dir() {
            true => Err(FsError::BadDescriptor.into()),
            false => Ok(()),
        })
    }

    async fn sync_data(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
    ) -> FilesystemResult<()> {
        with(store, |view| Ok(view.vfs.sync(&view.node(&fd)?, true)?))
    }

    async fn sync(store: &Accessor<U, Self>, fd: Resource<Descriptor>) -> FilesystemResult<()> {
        with(store, |view| Ok(view.vfs.sync(&view.node(&fd)?, false)?))
    }

    async fn get_flags(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
    ) -> FilesystemResult<DescriptorFlags> {
        with(store, |view| Ok(p3_flags(&view.node(&fd)?)))
    }

    async fn get_type(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
    ) -> FilesystemResult<DescriptorType> {
        with(store, |view| Ok(p3_kind(view.node(&fd)?.stat()?.kind)))
    }

    async fn set_size(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        size: Filesize,
    ) -> FilesystemResult<()> {
        with(store, |view| Ok(view.node(&fd)?.set_size(size)?))
    }

    async fn set_times(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            Ok(view
                .vfs
                .set_times(&view.node(&fd)?, p3_time(accessed)?, p3_time(modified)?)?)
        })
    }

    async fn create_directory_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            let mode = 0o777 & !view.umask;
            Ok(view
                .vfs
                .create_dir_with_mode_at(&view.node(&fd)?, relative(&path)?, mode)?)
        })
    }

    async fn stat(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
    ) -> FilesystemResult<DescriptorStat> {
        with(store, |view| Ok(p3_stat(&view.node(&fd)?.stat()?)))
    }

    async fn stat_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FilesystemResult<DescriptorStat> {
        with(store, |view| {
            let node = view.node(&fd)?;
            Ok(p3_stat(&view.vfs.stat_at(
                &node,
                relative(&path)?,
                follows(flags),
                view.fds,
            )?))
        })
    }

    async fn set_times_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            let node = view.node(&fd)?;
            let (accessed, modified) = (p3_time(accessed)?, p3_time(modified)?);
            let path = relative(&path)?;
            Ok(view
                .vfs
                .set_times_at(&node, path, follows(flags), accessed, modified)?)
        })
    }

    async fn link_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        old_flags: PathFlags,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            let (old, new) = (view.node(&fd)?, view.node(&new_fd)?);
            let (old, new) = ((&old, relative(&old_path)?), (&new, relative(&new_path)?));
            Ok(view.vfs.link_at(old, follows(old_flags), new)?)
        })
    }

    async fn open_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FilesystemResult<Resource<Descriptor>> {
        with(store, |view| {
            let mut options = p3_options(path_flags, open_flags, flags);
            options.mode = 0o666 & !view.umask;
            let node = view
                .vfs
                .open_at(&view.node(&fd)?, relative(&path)?, options, view.fds)?;
            Ok(view.push(node)?)
        })
    }

    async fn readlink_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FilesystemResult<String> {
        with(store, |view| {
            Ok(view.vfs.readlink_at(&view.node(&fd)?, relative(&path)?)?)
        })
    }

    async fn remove_directory_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            Ok(view.vfs.remove_dir_at(&view.node(&fd)?, relative(&path)?)?)
        })
    }

    async fn rename_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            let (old, new) = (view.node(&fd)?, view.node(&new_fd)?);
            Ok(view
                .vfs
                .rename_at((&old, relative(&old_path)?), (&new, relative(&new_path)?))?)
        })
    }

    async fn symlink_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        target: String,
        path: String,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            Ok(view
                .vfs
                .symlink_at(&target, &view.node(&fd)?, relative(&path)?)?)
        })
    }

    async fn unlink_file_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        path: String,
    ) -> FilesystemResult<()> {
        with(store, |view| {
            Ok(view.vfs.unlink_at(&view.node(&fd)?, relative(&path)?)?)
        })
    }

    async fn is_same_object(
        store: &Accessor<U, Self>,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        store.with(|mut access| access.get().is_same(&one, &other))
    }

    async fn metadata_hash(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
    ) -> FilesystemResult<MetadataHashValue> {
        with(store, |view| Ok(p3_hash(&view.node(&fd)?.stat()?)))
    }

    async fn metadata_hash_at(
        store: &Accessor<U, Self>,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FilesystemResult<MetadataHashValue> {
        with(store, |view| {
            let node = view.node(&fd)?;
            Ok(p3_hash(&view.vfs.stat_at(
                &node,
                relative(&path)?,
                follows(flags),
                view.fds,
            )?))
        })
    }
}
