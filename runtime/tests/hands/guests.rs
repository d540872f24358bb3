//! Guests in the text format, with the canonical ABI by hand.

/// Well-behaved functions, and one of each way to misbehave.
pub const TOOLS: &str = r#"
(component
  (core module $m
    (memory (export "memory") 1)
    (table $t 0 funcref)
    (global $next (mut i32) (i32.const 1024))
    (global $calls (mut i32) (i32.const 0))

    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (global.get $next) (local.get 3)))
      (local.get $at))

    ;; A result of two words at address 0.
    (func $pair (param i32 i32) (result i32)
      (i32.store (i32.const 0) (local.get 0))
      (i32.store (i32.const 4) (local.get 1))
      (i32.const 0))

    (func (export "echo") (param i32 i32) (result i32)
      (call $pair (local.get 0) (local.get 1)))

    ;; result<string, string>: error if the text is empty.
    (func (export "check") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (i32.eqz (local.get 1)))
      (i32.store (i32.const 4) (local.get 0))
      (i32.store (i32.const 8) (local.get 1))
      (i32.const 0))

    (func (export "count") (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (global.get $calls))

    (func (export "spin") (loop (br 0)))

    (func $recurse (export "recurse") (param i32) (result i32)
      (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (local.get 0)))

    (func $fail (export "fail") unreachable)

    ;; Grows by 1 MiB until that fails, then dies as an allocator would.
    (func (export "eat-memory")
      (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      unreachable)

    ;; Grows by a number of pages and returns whether that worked.
    (func (export "grow") (param i32) (result i32)
      (i32.ne (memory.grow (local.get 0)) (i32.const -1)))

    (func (export "grow-and-spin") (param i32)
      (if (i32.eq (memory.grow (local.get 0)) (i32.const -1)) (then unreachable))
      (loop (br 0)))

    (func (export "eat-table")
      (loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
      unreachable)

    ;; A text of zeros.
    (func (export "zeros") (param i32) (result i32)
      (drop (memory.grow (i32.shr_u (local.get 0) (i32.const 16))))
      (call $pair (i32.const 1024) (local.get 0)))

    ;; A text outside of memory.
    (func (export "wild") (result i32)
      (call $pair (i32.const -16) (i32.const 1000)))
  )
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (func (export "echo") (param "text" string) (result string)
    (canon lift (core func $i "echo") (memory $memory) (realloc $realloc)))
  (func (export "check") (param "text" string) (result (result string (error string)))
    (canon lift (core func $i "check") (memory $memory) (realloc $realloc)))
  (func (export "count") (result u32) (canon lift (core func $i "count")))
  (func (export "spin") (canon lift (core func $i "spin")))
  (func (export "recurse") (param "depth" u32) (result u32) (canon lift (core func $i "recurse")))
  (func (export "fail") (canon lift (core func $i "fail")))
  (func (export "eat-memory") (canon lift (core func $i "eat-memory")))
  (func (export "grow") (param "pages" u32) (result bool) (canon lift (core func $i "grow")))
  (func (export "grow-and-spin") (param "pages" u32) (canon lift (core func $i "grow-and-spin")))
  (func (export "eat-table") (canon lift (core func $i "eat-table")))
  (func (export "zeros") (param "size" u32) (result string)
    (canon lift (core func $i "zeros") (memory $memory) (realloc $realloc)))
  (func (export "wild") (result string)
    (canon lift (core func $i "wild") (memory $memory) (realloc $realloc)))
)
"#;

/// One function, `answer`, that returns `number`.
pub fn answer(number: u32) -> String {
    format!(
        r#"(component
  (core module $m (func (export "answer") (result i32) (i32.const {number})))
  (core instance $i (instantiate $m))
  (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#
    )
}

/// A component that instantiates `instances` modules.
pub fn many_instances(instances: usize) -> String {
    let copies = "(core instance (instantiate $m))\n".repeat(instances - 1);
    answer(1).replace("(core instance $i", &format!("{copies}(core instance $i"))
}

/// A small function that takes the compiler memory and time in proportion to `locals` times `branches`.
pub fn compiler_bomb(locals: usize, branches: usize) -> String {
    let types = "i32 ".repeat(locals);
    let body: String = (0..branches)
        .map(|branch| {
            let local = 1 + branch % locals;
            format!(
                "(if (local.get 0) (then (local.set {local} (i32.add (local.get {local}) (i32.const 1)))))\n"
            )
        })
        .collect();
    format!(
        r#"(component
  (core module $m
    (func (export "run") (param i32) (local {types})
      (loop {body} (br_if 0 (local.get 0)))))
  (core instance $i (instantiate $m))
  (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))"#
    )
}

/// Makes a component of a core module and the world `tool` of a WIT package; other packages come first.
pub fn component(packages: &[&str], core: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let mut package = None;
    for (number, text) in packages.iter().enumerate() {
        let path = format!("{number}.wit");
        package = Some(resolve.push_str(path, text).expect("valid WIT"));
    }
    let world = resolve
        .select_world(&[package.unwrap()], Some("tool"))
        .unwrap();
    let mut module = wat::parse_str(core).expect("valid text");
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
    wit_component::ComponentEncoder::default()
        .module(&module)
        .expect("a module that fits its world")
        .validate(true)
        .encode()
        .expect("a component")
}

/// A component that names one tool, `shout`, which answers with its input; other names do not exist.
pub fn dynamic() -> Vec<u8> {
    let schema = r#"{\"type\":\"object\"}"#;
    component(
        &[
            concat!(
                include_str!("../../../tools-wit/tool/dynamic.wit"),
                "\nworld host { import dynamic; }"
            ),
            "package acme:shout; world tool { export sinew:tool/dynamic@0.1.0; }",
        ],
        &format!(
            r#"(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (data (i32.const 100) "shout")
  (data (i32.const 200) "Answers.\07")
  (data (i32.const 300) "{schema}")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $next (i32.add (global.get $next) (local.get 3)))
    (i32.sub (global.get $next) (local.get 3)))
  (func (export "sinew:tool/dynamic@0.1.0#list") (result i32)
    (i32.store (i32.const 40) (i32.const 100)) (i32.store (i32.const 44) (i32.const 5))
    (i32.store (i32.const 48) (i32.const 200)) (i32.store (i32.const 52) (i32.const 9))
    (i32.store (i32.const 56) (i32.const 300)) (i32.store (i32.const 60) (i32.const 17))
    (i32.store (i32.const 0) (i32.const 40)) (i32.store (i32.const 4) (i32.const 1))
    (i32.const 0))
  (func (export "sinew:tool/dynamic@0.1.0#execute") (param i32 i32 i32 i32) (result i32)
    ;; result<string, error>: the case, then the payload; the variant has a case of its own.
    (if (i32.eq (local.get 1) (i32.const 5))
      (then
        (i32.store (i32.const 0) (i32.const 0))
        (i32.store (i32.const 4) (local.get 2))
        (i32.store (i32.const 8) (local.get 3)))
      (else
        (i32.store (i32.const 0) (i32.const 1))
        (i32.store (i32.const 4) (i32.const 0))))
    (i32.const 0)))"#
        ),
    )
}

/// A component whose `work` reports `steps` steps, each at once after the other.
pub fn reporting() -> Vec<u8> {
    component(
        &[
            concat!(
                include_str!("../../../tools-wit/tool/progress.wit"),
                "\nworld host { import progress; }"
            ),
            "package acme:work; world tool { import sinew:tool/progress@0.1.0; export work: func(steps: u64); }",
        ],
        r#"(module
  (import "sinew:tool/progress@0.1.0" "report"
    (func $report (param i32 i32 i32 i64 i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 100) "step\07")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "work") (param i64) (local i64)
    (loop
      (local.set 1 (i64.add (local.get 1) (i64.const 1)))
      (call $report (i32.const 100) (i32.const 5) (i32.const 1) (local.get 1) (i32.const 1) (local.get 0))
      (br_if 0 (i64.lt_u (local.get 1) (local.get 0))))))"#,
    )
}

/// The few functions of WASI that [`wasi`] uses.
const WASI: [&str; 4] = [
    r"package wasi:io@0.2.0;
interface error { resource error; }
interface streams {
  use error.{error};
  variant stream-error { last-operation-failed(error), closed }
  resource output-stream {
    blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
  }
}",
    r"package wasi:cli@0.2.0;
interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
interface exit { exit: func(status: result); }
interface environment { get-environment: func() -> list<tuple<string, string>>; }",
    r"package wasi:filesystem@0.2.0;
interface types {
  enum error-code { access, would-block, already, bad-descriptor, busy, deadlock, quota, exist, file-too-large,
    illegal-byte-sequence, in-progress, interrupted, invalid, io, is-directory, loop, too-many-links, message-size,
    name-too-long, no-device, no-entry, no-lock, insufficient-memory, insufficient-space, not-directory, not-empty,
    not-recoverable, unsupported, no-tty, no-such-device, overflow, not-permitted, pipe, read-only, invalid-seek,
    text-file-busy, cross-device }
  flags path-flags { symlink-follow }
  flags open-flags { create, directory, exclusive, truncate }
  flags descriptor-flags { read, write, file-integrity-sync, data-integrity-sync, requested-write-sync, mutate-directory }
  resource descriptor {
    open-at: func(path-flags: path-flags, path: string, open-flags: open-flags, %flags: descriptor-flags)
      -> result<descriptor, error-code>;
    write: func(buffer: list<u8>, offset: u64) -> result<u64, error-code>;
  }
}
interface preopens {
  use types.{descriptor};
  get-directories: func() -> list<tuple<descriptor, string>>;
}",
    r"package wasi:http@0.2.0;
interface types { resource fields { constructor(); } }",
];

/// Functions that use WASI: files, standard output, the environment, exit, HTTP.
pub fn wasi() -> Vec<u8> {
    let tool = r"package acme:wasi;
world tool {
  import wasi:cli/stdout@0.2.0;
  import wasi:cli/exit@0.2.0;
  import wasi:cli/environment@0.2.0;
  import wasi:io/streams@0.2.0;
  import wasi:filesystem/types@0.2.0;
  import wasi:filesystem/preopens@0.2.0;
  import wasi:http/types@0.2.0;
  export write-file: func(path: string, size: u32) -> result<u64, string>;
  export print: func(text: string, times: u32);
  export leave: func();
  export variables: func() -> list<tuple<string, string>>;
  export headers: func();
}";
    let [io, cli, files, http] = WASI;
    component(
        &[io, cli, files, http, tool],
        r#"(module
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
  (import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $print (param i32 i32 i32 i32)))
  (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))
  (import "wasi:filesystem/types@0.2.0" "[method]descriptor.open-at"
    (func $open (param i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:filesystem/types@0.2.0" "[method]descriptor.write"
    (func $write (param i32 i32 i32 i64 i32)))
  (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
  (memory (export "memory") 64)
  (global $next (mut i32) (i32.const 4096))
  (data (i32.const 1000) "no directory")
  (data (i32.const 1100) "cannot open")
  (data (i32.const 1200) "cannot write")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (global.get $next) (local.get 3)))
    (i32.sub (global.get $next) (local.get 3)))
  (func $error (param i32 i32) (result i32)
    (i32.store (i32.const 0) (i32.const 1))
    (i32.store (i32.const 8) (local.get 0))
    (i32.store (i32.const 12) (local.get 1))
    (i32.const 0))
  (func (export "write-file") (param $path i32) (param $length i32) (param $size i32) (result i32)
    (call $directories (i32.const 64))
    (if (i32.eqz (i32.load (i32.const 68)))
      (then (return (call $error (i32.const 1000) (i32.const 12)))))
    ;; Follow links; create and truncate; write.
    (call $open (i32.load (i32.load (i32.const 64))) (i32.const 1)
      (local.get $path) (local.get $length) (i32.const 9) (i32.const 2) (i32.const 72))
    (if (i32.load8_u (i32.const 72))
      (then (return (call $error (i32.const 1100) (i32.const 11)))))
    (call $write (i32.load (i32.const 76)) (i32.const 0) (local.get $size) (i64.const 0) (i32.const 80))
    (if (i32.load8_u (i32.const 80))
      (then (return (call $error (i32.const 1200) (i32.const 12)))))
    (i32.store (i32.const 0) (i32.const 0))
    (i64.store (i32.const 8) (i64.load (i32.const 88)))
    (i32.const 0))
  (func (export "print") (param $text i32) (param $length i32) (param $times i32)
    (local $stdout i32)
    (local.set $stdout (call $stdout))
    (loop
      (call $print (local.get $stdout) (local.get $text) (local.get $length) (i32.const 64))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if 0 (local.get $times))))
  (func (export "leave") (call $exit (i32.const 1)))
  (func (export "variables") (result i32) (call $environment (i32.const 64)) (i32.const 64))
  (func (export "headers") (drop (call $fields)))
)"#,
    )
}
