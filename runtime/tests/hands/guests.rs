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
