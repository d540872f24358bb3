//! What a hand is granted reaches its tools, and nothing else does.

use std::path::Path;

use cap_std::fs::Dir;
use serde_json::json;
use sinew_runtime::fs::{BuildError, FsLimits, Rights};
use sinew_runtime::typed::Content;
use sinew_runtime::{
    CallOptions, ComponentSource, Execution, Hand, Limit, Limits, Outcome, ProvisionError,
    Resources, Trust,
};
use tempfile::TempDir;

use super::{Fixture, fixture, guests};

async fn hand(fixture: &Fixture, wasm: Vec<u8>, resources: Resources) -> Hand {
    let component = fixture
        .runtime
        .add(ComponentSource {
            name: "guest".to_owned(),
            wasm: wasm.into(),
            digest: None,
            wit: None,
            trust: Trust::Embedded,
        })
        .await
        .unwrap();
    fixture
        .runtime
        .provision(resources.component(component))
        .unwrap()
}

async fn call(hand: &Hand, name: &str, input: serde_json::Value) -> Result<String, String> {
    let text = |content: Vec<Content>| match content.into_iter().next() {
        Some(Content::Text(text)) => text,
        other => format!("{other:?}"),
    };
    let execution = hand.execute(name, &input, CallOptions::default()).await;
    match execution.outcome {
        Outcome::Result(content) => Ok(text(content)),
        Outcome::ToolError(content) => Err(text(content)),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn the_default_is_nothing() {
    let fixture = fixture();
    let hand = hand(&fixture, guests::wasi(), Resources::default()).await;
    assert_eq!(
        call(&hand, "variables", json!({})).await,
        Ok("[]".to_owned())
    );
    let path = json!({"path": "workspace/x", "size": 1});
    assert!(call(&hand, "write_file", path).await.is_err());
    // HTTP is there to be imported, which some toolchains do always.
    assert_eq!(
        call(&hand, "headers", json!({})).await,
        Ok("None".to_owned())
    );
}

fn open(dir: &Path) -> Dir {
    Dir::open_ambient_dir(dir, cap_std::ambient_authority()).unwrap()
}

#[tokio::test]
async fn files_are_those_of_the_mounts_and_what_changed_is_told() {
    let fixture = fixture();
    let (work, docs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let resources = Resources::default()
        .mount("/workspace", open(work.path()), Rights::ReadWrite)
        .mount("/mnt/docs", open(docs.path()), Rights::ReadOnly)
        .limits(Limits {
            fs: FsLimits {
                bytes_max: 5_000,
                inodes_max: 3,
                ..FsLimits::default()
            },
            ..Limits::default()
        });
    let hand = hand(&fixture, guests::wasi(), resources).await;
    let write = async |path: &str, size: u64| {
        let input = json!({"path": path, "size": size});
        hand.execute("write_file", &input, CallOptions::default())
            .await
    };
    let is_refused = |execution: &Execution| matches!(execution.outcome, Outcome::ToolError(_));

    let written = write("workspace/a", 3_000).await;
    assert!(matches!(written.outcome, Outcome::Result(_)), "{written:?}");
    assert_eq!(work.path().join("a").metadata().unwrap().len(), 3_000);
    assert_eq!(written.metrics.written_bytes, 3_000);
    assert_eq!(written.limit_reached, None);
    let changed: Vec<_> = written.dirty.iter().collect();
    let [("/workspace", marks)] = changed.as_slice() else {
        panic!("{changed:?}");
    };
    assert!(marks.marks.contains_key(Path::new("a")), "{marks:?}");

    // Each execution tells its own changes, and these change nothing.
    for path in ["mnt/docs/a", "etc/passwd", "a", "../a", "workspace/../../a"] {
        let refused = write(path, 1).await;
        assert!(is_refused(&refused), "{path}: {refused:?}");
        assert!(refused.dirty.is_empty(), "{path}: {:?}", refused.dirty);
    }
    assert_eq!(docs.path().read_dir().unwrap().count(), 0);

    let refused = write("workspace/b", 3_000).await;
    assert!(is_refused(&refused), "{refused:?}");
    assert_eq!(refused.limit_reached, Some(Limit::WrittenBytes));
    let fits = write("workspace/c", 1_000).await;
    assert!(matches!(fits.outcome, Outcome::Result(_)), "{fits:?}");
    assert_eq!(fits.limit_reached, None);
    let refused = write("workspace/d", 1).await;
    assert_eq!(refused.limit_reached, Some(Limit::Files), "{refused:?}");

    let nowhere = write("dev/null", 1_000_000).await;
    assert!(matches!(nowhere.outcome, Outcome::Result(_)), "{nowhere:?}");
    assert!(nowhere.dirty.is_empty(), "{:?}", nowhere.dirty);
}

#[tokio::test]
async fn mounts_that_do_not_fit_make_no_hand() {
    let fixture = fixture();
    let dir = TempDir::new().unwrap();
    let resources = Resources::default()
        .mount("/workspace", open(dir.path()), Rights::ReadWrite)
        .mount("/workspace/inner", open(dir.path()), Rights::ReadWrite);
    assert!(matches!(
        fixture.runtime.provision(resources),
        Err(ProvisionError::Files(BuildError::UnderMount { .. }))
    ));
}

#[tokio::test]
async fn the_environment_and_the_log_are_the_hands() {
    let fixture = fixture();
    let resources = Resources::default().env("LANG", "C").limits(Limits {
        log_bytes: 10,
        ..Limits::default()
    });
    let hand = hand(&fixture, guests::wasi(), resources).await;
    assert_eq!(
        call(&hand, "variables", json!({})).await,
        Ok(r#"[["LANG","C"]]"#.to_owned())
    );

    let input = json!({"text": "abcd", "times": 1000});
    let printed = hand.execute("print", &input, CallOptions::default()).await;
    assert!(matches!(printed.outcome, Outcome::Result(_)), "{printed:?}");
    assert_eq!(printed.stdout, "abcdabcdab\n[3990 more bytes]\n");

    let left = call(&hand, "leave", json!({})).await.unwrap_err();
    assert!(left.contains("exit status 1"), "{left}");
}

#[tokio::test]
async fn a_component_can_name_its_tools_when_it_is_asked() {
    let fixture = fixture();
    let mut hand = hand(&fixture, guests::dynamic(), Resources::default()).await;
    assert!(hand.definitions().is_empty(), "not asked yet");
    hand.discover(CallOptions::default()).await.unwrap();
    let definitions = hand.definitions();
    let [shout] = definitions.as_slice() else {
        panic!("{definitions:?}");
    };
    assert_eq!(
        (&*shout.name, &*shout.description, &shout.input_schema),
        ("shout", "Answers.", &json!({"type": "object"})),
        "without the control character in the description"
    );
    let answer = call(&hand, "shout", json!({"a": 1})).await;
    assert_eq!(answer, Ok(r#"{"a":1}"#.to_owned()));
    assert!(call(&hand, "shout", json!("text")).await.is_err());
    assert!(call(&hand, "list", json!({})).await.is_err());

    let twice = hand.discover(CallOptions::default()).await;
    assert!(matches!(twice, Err(ProvisionError::ToolNameClash { .. })));
}

#[tokio::test]
async fn a_part_shows_what_it_is_given_of_the_whole() {
    let fixture = fixture();
    let (work, docs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::fs::create_dir_all(work.path().join("data/deep")).unwrap();
    std::os::unix::fs::symlink("/", work.path().join("way-out")).unwrap();
    let resources = Resources::default()
        .mount("/workspace", open(work.path()), Rights::ReadWrite)
        .mount("/mnt/docs", open(docs.path()), Rights::ReadOnly)
        .env("OF_THE_WHOLE", "1")
        .limits(Limits {
            fs: FsLimits {
                bytes_max: 5_000,
                ..FsLimits::default()
            },
            ..Limits::default()
        });
    let whole = hand(&fixture, guests::wasi(), resources).await;
    let component = fixture
        .runtime
        .add(ComponentSource {
            name: "guest".to_owned(),
            wasm: guests::wasi().into(),
            digest: None,
            wit: None,
            trust: Trust::Embedded,
        })
        .await
        .unwrap();
    let part = |shown: &[(&str, Rights)]| {
        let shown: Vec<_> = shown
            .iter()
            .map(|(path, rights)| ((*path).to_owned(), *rights))
            .collect();
        whole.part(Resources::default().component(component.clone()), &shown)
    };
    let write = async |hand: &Hand, path: &str, size: u64| {
        let input = json!({"path": path, "size": size});
        hand.execute("write_file", &input, CallOptions::default())
            .await
    };
    let is_refused = |execution: &Execution| matches!(execution.outcome, Outcome::ToolError(_));

    let data = part(&[
        ("/workspace/data", Rights::ReadWrite),
        ("/mnt/docs", Rights::ReadOnly),
    ])
    .unwrap();
    assert_eq!(
        call(&data, "variables", json!({})).await,
        Ok("[]".to_owned())
    );
    let written = write(&data, "workspace/data/deep/a", 3_000).await;
    assert!(matches!(written.outcome, Outcome::Result(_)), "{written:?}");
    // What changed is named as the whole names it, and told once.
    let changed: Vec<_> = written.dirty.iter().collect();
    let [("/workspace", marks)] = changed.as_slice() else {
        panic!("{changed:?}");
    };
    assert!(
        marks.marks.contains_key(Path::new("data/deep/a")),
        "{marks:?}"
    );
    assert!(whole.vfs().take_dirty().is_empty());
    for path in ["workspace/b", "workspace/data/../b", "mnt/docs/a", "tmp/a"] {
        let refused = write(&data, path, 1).await;
        assert!(is_refused(&refused), "{path}: {refused:?}");
        assert!(refused.dirty.is_empty(), "{path}: {:?}", refused.dirty);
    }
    // One quota for both.
    let refused = write(&data, "workspace/data/c", 3_000).await;
    assert_eq!(
        refused.limit_reached,
        Some(Limit::WrittenBytes),
        "{refused:?}"
    );
    let refused = write(&whole, "workspace/c", 3_000).await;
    assert_eq!(
        refused.limit_reached,
        Some(Limit::WrittenBytes),
        "{refused:?}"
    );

    let read_only = part(&[("/workspace", Rights::ReadOnly)]).unwrap();
    let refused = write(&read_only, "workspace/d", 1).await;
    assert!(is_refused(&refused), "{refused:?}");
    // A folder that is moved meanwhile is named by where it lies then.
    let moving = part(&[("/workspace/data", Rights::ReadWrite)]).unwrap();
    std::fs::rename(work.path().join("data"), work.path().join("moved")).unwrap();
    let written = write(&moving, "workspace/data/e", 1).await;
    let marks = written.dirty.mount("/workspace").unwrap();
    assert!(marks.marks.contains_key(Path::new("moved/e")), "{marks:?}");

    for (path, rights, expected) in [
        (
            "/workspace/none",
            Rights::ReadOnly,
            "no \"/workspace/none\"",
        ),
        (
            "/workspace/way-out",
            Rights::ReadOnly,
            "no \"/workspace/way-out\"",
        ),
        ("/workspace/..", Rights::ReadOnly, "/workspace/.."),
        ("/workspaces", Rights::ReadOnly, "no \"/workspaces\""),
        ("/", Rights::ReadOnly, "no \"/\""),
        ("/mnt/docs", Rights::ReadWrite, "can be read only"),
    ] {
        let error = part(&[(path, rights)]).err().unwrap().to_string();
        assert!(error.contains(expected), "{path}: {error}");
    }
}
