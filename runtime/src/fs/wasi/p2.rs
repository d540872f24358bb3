//! `wasi:filesystem` 0.2.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    self, Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError as WasiError, FsResult, IoError};

use super::convert::{p2_flags, p2_hash, p2_kind, p2_options, p2_stat, p2_time};
use super::stream::{Place, read_some};
use super::{FsView, relative};
use crate::fs::{DirList, FsError};

fn follows(flags: PathFlags) -> bool {
    flags.contains(PathFlags::SYMLINK_FOLLOW)
}

impl preopens::Host for FsView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.root()
    }
}

impl types::Host for FsView<'_> {
    fn convert_error_code(&mut self, error: WasiError) -> wasmtime::Result<ErrorCode> {
        Ok(error.downcast()?.into())
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<IoError>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        Ok(error
            .downcast_ref::<FsError>()
            .map(|error| ErrorCode::from(*error)))
    }
}

impl HostDescriptor for FsView<'_> {
    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        let stream = self.input(self.node(&fd)?, offset)?;
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.output(self.node(&fd)?, Place::Offset(offset))?;
        Ok(self.table.push(stream)?)
    }

    fn append_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.output(self.node(&fd)?, Place::End)?;
        Ok(self.table.push(stream)?)
    }

    fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        _offset: Filesize,
        _length: Filesize,
        _advice: Advice,
    ) -> FsResult<()> {
        // Advice about a cache that all hands share is not a guest's to give.
        let is_dir = self.node(&fd)?.is_dir();
        if is_dir {
            Err(FsError::BadDescriptor.into())
        } else {
            Ok(())
        }
    }

    fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        Ok(self.vfs.sync(&self.node(&fd)?, true)?)
    }

    fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        Ok(self.vfs.sync(&self.node(&fd)?, false)?)
    }

    fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        Ok(p2_flags(&self.node(&fd)?))
    }

    fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        Ok(p2_kind(self.node(&fd)?.stat()?.kind))
    }

    fn set_size(&mut self, fd: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        Ok(self.node(&fd)?.set_size(size)?)
    }

    fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        Ok(self
            .vfs
            .set_times(&self.node(&fd)?, p2_time(accessed)?, p2_time(modified)?)?)
    }

    fn read(
        &mut self,
        fd: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        Ok(read_some(&self.node(&fd)?, offset, length)?)
    }

    fn write(
        &mut self,
        fd: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: Filesize,
    ) -> FsResult<Filesize> {
        Ok(self.node(&fd)?.write_at(&bytes, offset)? as u64)
    }

    fn read_directory(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let list = self.vfs.list(&self.node(&fd)?, self.fds)?;
        Ok(Resource::new_own(self.table.push(list)?.rep()))
    }

    fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let mode = 0o777 & !self.umask;
        Ok(self
            .vfs
            .create_dir_with_mode_at(&self.node(&fd)?, relative(&path)?, mode)?)
    }

    fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        Ok(p2_stat(&self.node(&fd)?.stat()?))
    }

    fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let node = self.node(&fd)?;
        Ok(p2_stat(&self.vfs.stat_at(
            &node,
            relative(&path)?,
            follows(flags),
            self.fds,
        )?))
    }

    fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let node = self.node(&fd)?;
        let (accessed, modified) = (p2_time(accessed)?, p2_time(modified)?);
        Ok(self
            .vfs
            .set_times_at(&node, relative(&path)?, follows(flags), accessed, modified)?)
    }

    fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_flags: PathFlags,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (old, new) = (self.node(&fd)?, self.node(&new_fd)?);
        let (old, new) = ((&old, relative(&old_path)?), (&new, relative(&new_path)?));
        Ok(self.vfs.link_at(old, follows(old_flags), new)?)
    }

    fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let mut options = p2_options(path_flags, open_flags, flags);
        options.mode = 0o666 & !self.umask;
        let node = self
            .vfs
            .open_at(&self.node(&fd)?, relative(&path)?, options, self.fds)?;
        Ok(self.push(node)?)
    }

    fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        Ok(self.vfs.readlink_at(&self.node(&fd)?, relative(&path)?)?)
    }

    fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        Ok(self.vfs.remove_dir_at(&self.node(&fd)?, relative(&path)?)?)
    }

    fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (old, new) = (self.node(&fd)?, self.node(&new_fd)?);
        Ok(self
            .vfs
            .rename_at((&old, relative(&old_path)?), (&new, relative(&new_path)?))?)
    }

    fn symlink_at(
        &mut self,
        fd: Resource<Descriptor>,
        target: String,
        path: String,
    ) -> FsResult<()> {
        Ok(self
            .vfs
            .symlink_at(&target, &self.node(&fd)?, relative(&path)?)?)
    }

    fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        Ok(self.vfs.unlink_at(&self.node(&fd)?, relative(&path)?)?)
    }

    fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.is_same(&one, &other)
    }

    fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        Ok(p2_hash(&self.node(&fd)?.stat()?))
    }

    fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let node = self.node(&fd)?;
        Ok(p2_hash(&self.vfs.stat_at(
            &node,
            relative(&path)?,
            follows(flags),
            self.fds,
        )?))
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        Ok(self.drop_node(&fd)?)
    }
}

impl HostDirectoryEntryStream for FsView<'_> {
    fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let list = self
            .table
            .get_mut(&Resource::<DirList>::new_borrow(stream.rep()))?;
        let entry = list.next().transpose()?;
        Ok(entry.map(|entry| DirectoryEntry {
            type_: p2_kind(entry.kind),
            name: entry.name,
        }))
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table
            .delete(Resource::<DirList>::new_own(stream.rep()))?;
        Ok(())
    }
}
