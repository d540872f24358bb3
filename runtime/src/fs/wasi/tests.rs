//! The WASI layers: linking, a guest through the component ABI, and the streams of both versions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tempfile::TempDir;
use wasmtime::component::{
    Accessor, Component, FutureConsumer, Linker, Resource, ResourceTable, Source, StreamConsumer,
    StreamReader, StreamResult,
};
use wasmtime::{Config, Engine, Store, StoreContextMut};
use wasmtime_wasi::p2::StreamError;
use wasmtime_wasi::p2::bindings::sync::filesystem::types as p2;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Host as _, HostDescriptor as _, HostDirectoryEntryStream as _,
};
use wasmtime_wasi::p3::bindings::filesystem::types as p3;
use wasmtime_wasi::p3::bindings::filesystem::types::HostDescriptorWithStore;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::stream::Place;
use super::*;
use crate::fs::{FsLimits, Rights, VfsBuilder};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    vfs: Arc<Vfs>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

fn view(state: &mut State) -> FsView<'_> {
    FsView {
        vfs: &state.vfs,
        table: &mut state.table,
        fds: &NoFds,
        umask: 0o022,
    }
}

fn world() -> (TempDir, State) {
    let host = TempDir::new().unwrap();
    let mut builder = VfsBuilder::default().limits(FsLimits {
        bytes_max: 1000,
        ..FsLimits::default()
    });
    for (name, rights) in [("workspace", Rights::ReadWrite), ("ro", Rights::ReadOnly)] {
        let path = host.path().join(name);
        std::fs::create_dir(&path).unwrap();
        let dir = cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
        builder = builder.mount(format!("/{name}"), dir, rights);
    }
    let vfs = builder.build().unwrap();
    (
        host,
        State {
            wasi: WasiCtx::default(),
            table: ResourceTable::new(),
            vfs,
        },
    )
}

fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Engine::new(&config).unwrap()
}

/// A guest that makes a directory at the path it is given, from its first preopened directory, and returns 0
/// or 256 plus the number of the error code.
fn guest(engine: &Engine, version: &str) -> Component {
    let shared = "access already bad-descriptor busy deadlock quota exist file-too-large \
        illegal-byte-sequence in-progress interrupted invalid io is-directory loop too-many-links \
        message-size name-too-long no-device no-entry no-lock insufficient-memory \
        insufficient-space not-directory not-empty not-recoverable unsupported no-tty \
        no-such-device overflow not-permitted pipe read-only invalid-seek text-file-busy \
        cross-device";
    let names = shared.split_whitespace().map(|name| format!("{name:?}"));
    // In 0.3 the code is a variant that can hold a string, so it lies aligned behind the discriminant.
    let (is_async, codes, place) = if version.starts_with("0.2") {
        let mut names: Vec<_> = names.collect();
        names.insert(1, "\"would-block\"".to_owned());
        ("", format!("enum {}", names.join(" ")), "17")
    } else {
        let mut cases: Vec<_> = names.map(|name| format!("(case {name})")).collect();
        cases.push("(case \"other\" (option string))".to_owned());
        ("async", format!("variant {}", cases.join(" ")), "20")
    };
    let text = GUEST
        .replace("VERSION", version)
        .replace("ASYNC", is_async)
        .replace("CODES", &codes)
        .replace("PLACE", place);
    Component::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

const GUEST: &str = r#"(component
  (import "wasi:filesystem/types@VERSION" (instance $types
    (export "descriptor" (type $descriptor (sub resource)))
    (type $codes (CODES))
    (export "error-code" (type $error-code (eq $codes)))
    (export "[method]descriptor.create-directory-at" (func ASYNC
      (param "self" (borrow $descriptor)) (param "path" string) (result (result (error $error-code)))))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@VERSION" (instance $preopens
    (alias outer 1 $descriptor (type $outer))
    (export "descriptor" (type $descriptor (eq $outer)))
    (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.and (i32.const -8)
        (i32.add (i32.const 7) (i32.add (global.get $next) (local.get 3)))))))
  (core instance $libc (instantiate $libc))
  (core func $get (canon lower (func $preopens "get-directories")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $mkdir (canon lower (func $types "[method]descriptor.create-directory-at")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $main
    (import "host" "memory" (memory 1))
    (import "host" "get" (func $get (param i32)))
    (import "host" "mkdir" (func $mkdir (param i32 i32 i32 i32)))
    (func (export "run") (param i32 i32) (result i32)
      (call $get (i32.const 0))
      (call $mkdir (i32.load (i32.load (i32.const 0))) (local.get 0) (local.get 1) (i32.const 16))
      (i32.add (i32.mul (i32.const 256) (i32.load8_u (i32.const 16)))
        (i32.mul (i32.load8_u (i32.const 16)) (i32.load8_u (i32.const PLACE))))))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $libc "memory"))
    (export "get" (func $get))
    (export "mkdir" (func $mkdir))))))
  (func (export "run") ASYNC (param "path" string) (result u32)
    (canon lift (core func $main "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
)"#;

#[tokio::test]
async fn guests_of_every_version_of_wasi_find_the_mounts() {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    add_wasi_to_linker::<State>(&mut linker, view).unwrap();
    for version in ["0.2.0", "0.2.3", "0.2.12", "0.3.0"] {
        // 0.3 has no "would-block", the second code of 0.2.
        let code = |code: p2::ErrorCode| 256 + code as u32 - u32::from(version == "0.3.0");
        let (host, state) = world();
        let component = guest(&engine, version);
        let mut store = Store::new(&engine, state);
        let instance = linker
            .instantiate_async(&mut store, &component)
            .await
            .unwrap();
        let run = instance
            .get_typed_func::<(&str,), (u32,)>(&mut store, "run")
            .unwrap();
        for (path, expected) in [
            ("workspace/made", 0),
            ("workspace/made", code(p2::ErrorCode::Exist)),
            ("ro/made", code(p2::ErrorCode::ReadOnly)),
            ("/workspace/other", code(p2::ErrorCode::NotPermitted)),
            ("../outside/made", code(p2::ErrorCode::NoEntry)),
        ] {
            let (returned,) = run.call_async(&mut store, (path,)).await.unwrap();
            assert_eq!(returned, expected, "{path} in {version}");
        }
        assert!(host.path().join("workspace/made").is_dir());
        assert!(store.data().vfs.take_dirty().mount("/workspace").is_some());
    }
}

#[test]
fn everything_links_beside_each_other_once() {
    let mut linker = Linker::new(&engine());
    add_wasi_to_linker::<State>(&mut linker, view).unwrap();
    assert!(wasmtime_wasi::p3::filesystem::add_to_linker::<State>(&mut linker).is_err());
    assert!(wasmtime_wasi::p2::add_to_linker_async::<State>(&mut linker).is_err());
}

fn open_flags(create: bool) -> (p2::PathFlags, p2::OpenFlags, p2::DescriptorFlags) {
    let open = if create {
        p2::OpenFlags::CREATE
    } else {
        p2::OpenFlags::empty()
    };
    let flags = p2::DescriptorFlags::READ
        | if create {
            p2::DescriptorFlags::WRITE
        } else {
            p2::DescriptorFlags::empty()
        };
    (p2::PathFlags::SYMLINK_FOLLOW, open, flags)
}

fn borrow<T: 'static>(resource: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(resource.rep())
}

#[test]
fn streams_of_0_2_move_bytes_and_say_why_they_fail() {
    let (_host, mut state) = world();
    let mut view = view(&mut state);
    let (root, name) = view.root().unwrap().pop().unwrap();
    assert_eq!(name, "/");
    let (path, open, flags) = open_flags(true);
    let file = view
        .open_at(borrow(&root), path, "workspace/f".into(), open, flags)
        .unwrap();
    let output = view.write_via_stream(borrow(&file), 0).unwrap();
    let stream = view.table.get_mut(&output).unwrap();
    assert!(stream.check_write().unwrap() > 0);
    stream.write(b"hello ".as_slice().into()).unwrap();
    stream.write(b"world".as_slice().into()).unwrap();
    let Err(StreamError::LastOperationFailed(error)) = stream.write(vec![0; 2000].into()) else {
        panic!("the quota is 1,000 bytes");
    };
    let error = view.table.push(error).unwrap();
    assert!(matches!(
        view.filesystem_error_code(error).unwrap(),
        Some(p2::ErrorCode::InsufficientSpace)
    ));
    let appended = view.append_via_stream(borrow(&file)).unwrap();
    view.table
        .get_mut(&appended)
        .unwrap()
        .write(b"!".as_slice().into())
        .unwrap();

    let input = view.read_via_stream(borrow(&file), 6).unwrap();
    let stream = view.table.get_mut(&input).unwrap();
    assert_eq!(&*stream.read(100).unwrap(), b"world!");
    assert!(matches!(stream.read(100), Err(StreamError::Closed)));
    // A read that meets the end says so at once; one that is as long as it may be cannot know.
    for (length, offset, bytes, is_end) in [
        (u64::MAX, 0, "hello world!", true),
        (13, 0, "hello world!", true),
        (12, 0, "hello world!", false),
        (5, 6, "world", false),
        (1, 12, "", true),
        (1, 100, "", true),
        (0, 12, "", false),
    ] {
        assert_eq!(
            view.read(borrow(&file), length, offset).unwrap(),
            (bytes.as_bytes().to_vec(), is_end),
            "{length} at {offset}"
        );
    }
    assert_eq!(view.stat(borrow(&file)).unwrap().size, 12);

    let entries = view.read_directory(borrow(&root)).unwrap();
    let mut names = Vec::new();
    while let Some(entry) = view.read_directory_entry(borrow(&entries)).unwrap() {
        names.push(entry.name);
    }
    assert_eq!(names, ["dev", "etc", "proc", "ro", "workspace"]);
}

/// A process with an input at 0 and an output at 1.
struct Pipes(wasmtime_wasi::p2::pipe::MemoryOutputPipe);

impl FdTable for Pipes {
    fn numbers(&self) -> Vec<u32> {
        vec![0, 1]
    }

    fn is_open(&self, number: u32) -> bool {
        number < 2
    }
}

impl ProcessFds for Pipes {
    fn input(&self, number: u32) -> Option<DynInputStream> {
        let pipe = || wasmtime_wasi::p2::pipe::MemoryInputPipe::new("typed");
        (number == 0).then(|| Box::new(pipe()) as DynInputStream)
    }

    fn output(&self, number: u32) -> Option<DynOutputStream> {
        (number == 1).then(|| Box::new(self.0.clone()) as DynOutputStream)
    }
}

#[test]
fn descriptors_of_the_process_are_its_own_streams() {
    let (_host, mut state) = world();
    let written = wasmtime_wasi::p2::pipe::MemoryOutputPipe::new(100);
    let pipes = Pipes(written.clone());
    let mut view = FsView {
        vfs: &state.vfs,
        table: &mut state.table,
        fds: &pipes,
        umask: 0o022,
    };
    let (root, _) = view.root().unwrap().pop().unwrap();
    let mut open = |path: &str| {
        let (path_flags, open, flags) = open_flags(true);
        let node = view
            .open_at(borrow(&root), path_flags, path.into(), open, flags)
            .unwrap();
        view.node(&node).unwrap()
    };
    let (stdin, stdout) = (open("dev/stdin"), open("dev/fd/1"));
    let mut input = view.input(stdin.clone(), 0).unwrap();
    assert_eq!(&*input.read(100).unwrap(), b"typed");
    let mut output = view.output(stdout.clone(), Place::End).unwrap();
    output.write(b"shown".as_slice().into()).unwrap();
    assert_eq!(&*written.contents(), b"shown");
    assert_eq!(view.input(stdout, 0).err(), Some(FsError::BadDescriptor));
    assert_eq!(
        view.output(stdin, Place::End).err(),
        Some(FsError::BadDescriptor)
    );
}

#[test]
fn times_from_a_guest_are_taken_apart_safely() {
    use super::convert::p2_time;
    use crate::fs::{FileTime, NewTime};
    let time = |seconds, nanoseconds| {
        p2_time(p2::NewTimestamp::Timestamp(
            wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime {
                seconds,
                nanoseconds,
            },
        ))
    };
    // 1,073,741,823 and the number before it are the kernel's words for "now" and "leave it".
    let expected = FileTime {
        seconds: 2,
        nanoseconds: 73_741_823,
    };
    assert_eq!(time(1, 1_073_741_823), Ok(NewTime::At(expected)));
    assert_eq!(time(u64::MAX, 0), Err(FsError::Overflow));
    assert_eq!(time(i64::MAX as u64, 1_000_000_000), Err(FsError::Overflow));
}

/// Collects what a stream brings.
struct Collector<T>(Arc<Mutex<Vec<T>>>);

impl<D: 'static, T: wasmtime::component::Lift + Send + Sync + 'static> StreamConsumer<D>
    for Collector<T>
{
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        _finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut items = Vec::with_capacity(16);
        source.read(store, &mut items)?;
        self.0.lock().unwrap().extend(items);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Hands over what a future brings.
struct Once<T>(Option<tokio::sync::oneshot::Sender<T>>);

impl<D: 'static, T: wasmtime::component::Lift + Send + Sync + 'static> FutureConsumer<D>
    for Once<T>
{
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        _finish: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut items = None;
        source.read(store, &mut items)?;
        if let (Some(item), Some(sender)) = (items, self.0.take()) {
            let _ = sender.send(item);
        }
        Poll::Ready(Ok(()))
    }
}

/// What a stream and its end bring together.
async fn drained<T: wasmtime::component::Lift + Send + Sync + 'static>(
    fs: &Accessor<State, HandFs>,
    open: impl FnOnce(
        wasmtime::component::Access<'_, State, HandFs>,
    ) -> wasmtime::Result<(StreamReader<T>, End)>,
) -> (Vec<T>, Result<(), p3::ErrorCode>) {
    let items = Arc::new(Mutex::new(Vec::new()));
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let (stream, end) = fs.with(open).unwrap();
    fs.with(|mut access| {
        stream
            .pipe(&mut access, Collector(Arc::clone(&items)))
            .unwrap();
        end.pipe(&mut access, Once(Some(sender))).unwrap();
    });
    let result = receiver.await.unwrap();
    let items = std::mem::take(&mut *items.lock().unwrap());
    (items, result)
}

type End = wasmtime::component::FutureReader<Result<(), p3::ErrorCode>>;

#[tokio::test]
async fn streams_of_0_3_move_bytes_and_say_how_they_end() {
    let (host, state) = world();
    let mut store = Store::new(&engine(), state);
    store
        .run_concurrent(async |accessor| {
            let fs = &accessor.with_getter::<HandFs>(view);
            let root = fs.with(|mut access| access.get().root().unwrap().pop().unwrap().0);
            let flags = p3::DescriptorFlags::READ | p3::DescriptorFlags::WRITE;
            let open = |path: &str, flags| {
                let (path_flags, open) = (p3::PathFlags::empty(), p3::OpenFlags::CREATE);
                HandFs::open_at(fs, borrow(&root), path_flags, path.into(), open, flags)
            };
            let file = open("workspace/f", flags).await.unwrap();
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let data: StreamReader<u8> = fs
                .with(|access| StreamReader::new(access, b"hello world".to_vec()))
                .unwrap();
            let end = fs
                .with(|access| HandFs::write_via_stream(access, borrow(&file), data, 0))
                .unwrap();
            fs.with(|access| end.pipe(access, Once(Some(sender))))
                .unwrap();
            assert!(matches!(receiver.await, Ok(Ok(()))));
            assert_eq!(
                std::fs::read(host.path().join("workspace/f")).unwrap(),
                b"hello world"
            );

            let (bytes, end) = drained(fs, |access| {
                HandFs::read_via_stream(access, borrow(&file), 6)
            })
            .await;
            assert_eq!((bytes.as_slice(), end.is_ok()), (b"world".as_slice(), true));

            let (bytes, end) = drained(fs, |access| {
                HandFs::read_via_stream(access, borrow(&root), 0)
            })
            .await;
            assert!(bytes.is_empty());
            assert!(matches!(end, Err(p3::ErrorCode::IsDirectory)));

            let (entries, end) =
                drained(fs, |access| HandFs::read_directory(access, borrow(&root))).await;
            let names: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
            assert_eq!(names, ["dev", "etc", "proc", "ro", "workspace"]);
            assert!(end.is_ok());

            let refused = open("ro/f", flags).await.unwrap_err();
            assert!(matches!(
                refused.downcast().unwrap(),
                p3::ErrorCode::ReadOnly
            ));
        })
        .await
        .unwrap();
}
