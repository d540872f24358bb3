//! Compiling: once, outside of this process for strangers, and never trusting what lies on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use sinew_runtime::{
    CallOptions, CompileError, CompilerLimit, CompilerLimits, LoadError, Outcome, Resources,
    Runtime, Trust,
};

use super::{add, compiler, guests, runtime_in, source};

async fn answers(runtime: &Runtime, number: u32, trust: Trust) {
    let component = runtime
        .add(source("answer", &guests::answer(number), trust))
        .await
        .unwrap();
    let hand = runtime
        .provision(Resources::default().component(component))
        .unwrap();
    let execution = hand
        .execute("answer", &json!({}), CallOptions::default())
        .await;
    let Outcome::Result(content) = execution.outcome else {
        panic!("{:?}", execution.outcome);
    };
    assert_eq!(
        content,
        [sinew_runtime::typed::Content::Text(number.to_string())]
    );
}

/// Changes a component's folder, given another component's.
type Damage<'a> = &'a dyn Fn(&Path, &Path);

fn component_folders(data: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(data.join("components"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

#[tokio::test]
async fn a_component_is_compiled_once() {
    for trust in [Trust::Embedded, Trust::Untrusted] {
        let data = tempfile::tempdir().unwrap();
        let first = runtime_in(data.path(), compiler());
        answers(&first, 42, trust).await;
        answers(&first, 42, trust).await;
        assert_eq!(first.compilations(), 1);
        drop(first);

        let second = runtime_in(data.path(), compiler());
        answers(&second, 42, trust).await;
        assert_eq!(second.compilations(), 0, "{trust:?}: found on disk");
        answers(&second, 43, trust).await;
        assert_eq!(second.compilations(), 1, "{trust:?}: another component");
    }
}

#[tokio::test]
async fn what_is_not_sealed_is_never_loaded() {
    let flip = |path: PathBuf| {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let damages: [(&str, Damage<'_>); 7] = [
        ("a flipped bit in the code", &|this, _| {
            flip(this.join("artefact.cwasm"))
        }),
        ("a flipped bit in the tools", &|this, _| {
            flip(this.join("tools.json"))
        }),
        ("a flipped bit in the seal", &|this, _| {
            flip(this.join("seal"))
        }),
        ("no seal", &|this, _| {
            fs::remove_file(this.join("seal")).unwrap()
        }),
        ("cut off", &|this, _| {
            let path = this.join("artefact.cwasm");
            fs::OpenOptions::new()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(100)
                .unwrap();
        }),
        ("another component's", &|this, other| {
            for name in ["artefact.cwasm", "tools.json", "seal"] {
                fs::copy(other.join(name), this.join(name)).unwrap();
            }
        }),
        ("another folder's", &|this, _| {
            fs::write(this.parent().unwrap().join("seal.key"), [7; 32]).unwrap();
        }),
    ];
    for (damage, apply) in damages {
        let data = tempfile::tempdir().unwrap();
        let runtime = runtime_in(data.path(), compiler());
        answers(&runtime, 1, Trust::Embedded).await;
        let this = component_folders(data.path()).remove(0);
        answers(&runtime, 2, Trust::Embedded).await;
        let other = component_folders(data.path())
            .into_iter()
            .find(|folder| *folder != this)
            .unwrap();
        drop(runtime);
        apply(&this, &other);

        let runtime = runtime_in(data.path(), compiler());
        answers(&runtime, 1, Trust::Embedded).await;
        assert_eq!(runtime.compilations(), 1, "{damage}");
        let again = runtime_in(data.path(), compiler());
        answers(&again, 1, Trust::Embedded).await;
        assert_eq!(again.compilations(), 0, "{damage}: repaired");
    }
}

#[tokio::test]
async fn the_secret_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("components/seal.key");
    drop(runtime_in(data.path(), compiler()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);

    let before = fs::read(&path).unwrap();
    drop(runtime_in(data.path(), compiler()));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(runtime_in(data.path(), compiler()));
    assert_ne!(
        fs::read(&path).unwrap(),
        before,
        "others could have read it"
    );
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn components_are_loaded_side_by_side_in_order() {
    let data = tempfile::tempdir().unwrap();
    let runtime = runtime_in(data.path(), compiler());
    let names = ["a", "b", "c", "d"];
    let sources = names
        .iter()
        .zip(0..)
        .map(|(name, number)| source(name, &guests::answer(number), Trust::Embedded));
    let mut seen = Vec::new();
    let loaded = runtime
        .add_all(sources.collect(), |progress| {
            assert_eq!(progress.total, names.len());
            seen.push((progress.done, progress.name.to_owned()));
        })
        .await
        .unwrap();
    let loaded: Vec<_> = loaded.iter().map(|component| component.name()).collect();
    assert_eq!(loaded, names);
    let done: Vec<_> = seen.iter().map(|(done, _)| *done).collect();
    assert_eq!(done, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_is_no_component_is_refused_in_words() {
    let data = tempfile::tempdir().unwrap();
    let runtime = runtime_in(data.path(), compiler());
    let component = wat::parse_str(guests::answer(1)).unwrap();
    let cut = component[..component.len() - 10].to_vec();
    let mut wrong = component.clone();
    *wrong.last_mut().unwrap() ^= 0x55;
    let module = wat::parse_str("(module)").unwrap();
    let compiled = {
        add(&runtime, "answer", &guests::answer(1)).await;
        fs::read(component_folders(data.path())[0].join("artefact.cwasm")).unwrap()
    };
    let cases = [
        ("empty", Vec::new()),
        ("garbage", b"garbage".to_vec()),
        ("text", guests::answer(1).into_bytes()),
        ("a core module", module),
        ("cut off", cut),
        ("machine code", compiled),
    ];
    for (what, bytes) in cases {
        for trust in [Trust::Embedded, Trust::Untrusted] {
            let mut source = source("bad", &guests::answer(1), trust);
            source.wasm = bytes.clone().into();
            match runtime.add(source).await {
                Err(LoadError::Compile(CompileError::InvalidComponent(reason))) => {
                    assert!(!reason.is_empty(), "{what}");
                }
                Err(other) => panic!("{what}, {trust:?}: {other:?}"),
                Ok(_) => panic!("{what}, {trust:?}: was accepted"),
            }
        }
    }

    let import =
        r#"(component (import "acme:bank/vault@1.0.0" (instance (export "open" (func)))))"#;
    let import = runtime
        .add(source("import", import, Trust::Untrusted))
        .await;
    assert!(
        matches!(import, Err(LoadError::Unlinkable(reason)) if reason.contains("acme:bank/vault"))
    );
}

#[tokio::test]
async fn a_compiler_bomb_ends_the_child_and_nothing_else() {
    let cases = [
        (
            CompilerLimits {
                memory_bytes: 512 << 20,
                ..CompilerLimits::default()
            },
            CompilerLimit::Memory,
        ),
        (
            CompilerLimits {
                memory_bytes: 64 << 30,
                cpu_seconds: 1,
                ..CompilerLimits::default()
            },
            CompilerLimit::CpuTime,
        ),
        (
            CompilerLimits {
                wall_time: Duration::ZERO,
                ..CompilerLimits::default()
            },
            CompilerLimit::WallTime,
        ),
    ];
    let bomb = guests::compiler_bomb(20_000, 10_000);
    for (limits, expected) in cases {
        let data = tempfile::tempdir().unwrap();
        let mut compiler = compiler();
        compiler.limits = limits;
        let runtime = runtime_in(data.path(), compiler);
        match runtime.add(source("bomb", &bomb, Trust::Untrusted)).await {
            Err(LoadError::Compile(CompileError::CompilerLimit(limit))) => {
                assert_eq!(limit, expected);
            }
            Err(other) => panic!("{expected:?}: {other:?}"),
            Ok(_) => panic!("{expected:?}: was compiled"),
        }
        answers(&runtime, 1, Trust::Embedded).await;
    }
}

#[tokio::test]
async fn a_missing_compiler_is_named() {
    let data = tempfile::tempdir().unwrap();
    let mut compiler = compiler();
    compiler.program = "/nonexistent/compiler".into();
    let runtime = runtime_in(data.path(), compiler);
    match runtime
        .add(source("answer", &guests::answer(1), Trust::Untrusted))
        .await
    {
        Err(LoadError::Compile(CompileError::CompilerFailed(reason))) => {
            assert!(reason.contains("/nonexistent/compiler"), "{reason}");
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("compiled without a compiler"),
    }
}
