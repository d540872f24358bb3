//! Attacks on files: out of the workspace by path, by link, and into another session.

use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use sinew_tests::world::World;

use crate::{PROGRAM, call, check_neighbour, script};

/// In every file that no session may see.
const SECRET: &str = "HOST-SECRET-5b1c";
/// In the workspace of the session beside.
const NEIGHBOURS: &str = "NEIGHBOUR-SECRET-77ad";

/// In the file that every session has as its own.
const OWN_PASSWD: &str = "agent:x:1000:";

const NOT_FOUND: &str = "no such file or directory";
const READ_ONLY: &str = "read-only file system";
const NO_MATCHES: &str = "no matches";

/// One attack: what it does, its call, and a part of the answer that it must get.
struct Attack {
    name: &'static str,
    call: Value,
    is_error: bool,
    answer: &'static str,
}

fn attack(name: &'static str, tool: &str, input: Value, answer: &'static str) -> Attack {
    Attack {
        name,
        call: json!({"name": tool, "input": input}),
        is_error: true,
        answer,
    }
}

/// An attack that is no error, but finds nothing.
fn in_vain(name: &'static str, tool: &str, input: Value, answer: &'static str) -> Attack {
    Attack {
        is_error: false,
        ..attack(name, tool, input, answer)
    }
}

fn read(name: &'static str, path: &str, answer: &'static str) -> Attack {
    attack(name, "read", json!({"file_path": path}), answer)
}

fn write(name: &'static str, path: &str, answer: &'static str) -> Attack {
    attack(
        name,
        "write",
        json!({"file_path": path, "content": "overwritten"}),
        answer,
    )
}

/// `host` is a folder of the host with the file `secret.txt`; `${model}` becomes the workspace of the session
/// beside.
fn attacks(host: &str) -> Vec<Attack> {
    let up = "../".repeat(40);
    vec![
        in_vain(
            "up and out",
            "read",
            json!({"file_path": "../../etc/passwd"}),
            OWN_PASSWD,
        ),
        in_vain(
            "up from the root",
            "read",
            json!({"file_path": "/../../etc/passwd"}),
            OWN_PASSWD,
        ),
        in_vain(
            "a link to the root",
            "read",
            json!({"file_path": "to-root/etc/passwd"}),
            OWN_PASSWD,
        ),
        in_vain(
            "a relative link out",
            "read",
            json!({"file_path": "to-above/etc/passwd"}),
            OWN_PASSWD,
        ),
        read(
            "the host's absolute path",
            &format!("{host}/secret.txt"),
            NOT_FOUND,
        ),
        read(
            "up to the host's path",
            &format!("{up}{host}/secret.txt"),
            NOT_FOUND,
        ),
        read("the process", "/proc/self/environ", NOT_FOUND),
        read(
            "another session by absolute path",
            "${model}/mine.txt",
            NOT_FOUND,
        ),
        read(
            "another session by relative path",
            &format!("{up}${{model}}/mine.txt"),
            NOT_FOUND,
        ),
        read("a link to the host's file", "to-secret", NOT_FOUND),
        read(
            "a link to the host's folder",
            "to-host/secret.txt",
            NOT_FOUND,
        ),
        read("a link to another session", "to-other/mine.txt", NOT_FOUND),
        read(
            "a link to itself",
            "to-itself",
            "too many levels of symbolic links",
        ),
        read("a pipe that nobody writes", "pipe", "not a regular file"),
        read("no name", "", "must not be empty"),
        read("a name with an end inside", "a\0b", "invalid path"),
        read(
            "an endless name",
            &"a/".repeat(100_000),
            "characters left out",
        ),
        write("write up and out", "../../../escape.txt", READ_ONLY),
        write(
            "write to another session",
            "to-other/mine.txt",
            "file already exists",
        ),
        // These find a place: the session's own /tmp, in which the host's path happens to be free.
        in_vain(
            "write to the host's path",
            "write",
            json!({"file_path": format!("{host}/secret.txt"), "content": "own"}),
            "wrote 3 bytes",
        ),
        in_vain(
            "write through a link to a file",
            "write",
            json!({"file_path": "to-secret", "content": "own"}),
            "wrote 3 bytes",
        ),
        in_vain(
            "write through a link to a folder",
            "write",
            json!({"file_path": "to-host/escape.txt", "content": "own"}),
            "wrote 3 bytes",
        ),
        write(
            "write to the uploads",
            "/mnt/session/uploads/escape.txt",
            READ_ONLY,
        ),
        write("write to the root", "/escape.txt", READ_ONLY),
        attack(
            "edit through a link",
            "edit",
            json!({"file_path": "to-secret",
            "old_string": SECRET, "new_string": "x"}),
            "old_string not found",
        ),
        in_vain(
            "search everything",
            "grep",
            json!({"pattern": "SECRET-", "path": "/"}),
            NO_MATCHES,
        ),
        in_vain(
            "search through a link",
            "grep",
            json!({"pattern": "SECRET-", "path": "to-host"}),
            NO_MATCHES,
        ),
        in_vain(
            "search the workspace",
            "grep",
            json!({"pattern": "SECRET-"}),
            NO_MATCHES,
        ),
        in_vain(
            "list everything",
            "glob",
            json!({"pattern": "**/passwd", "path": "/"}),
            "/etc/passwd",
        ),
        attack(
            "list above",
            "glob",
            json!({"pattern": "../../**"}),
            "'..' is not permitted",
        ),
        in_vain(
            "list through a link",
            "glob",
            json!({"pattern": "*", "path": "to-host"}),
            "/workspace/to-host/escape.txt",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_and_no_link_leads_out() -> Result<()> {
    // Below the one folder of the host whose name a session has too.
    let host = tempfile::tempdir_in("/tmp")?;
    std::fs::write(host.path().join("secret.txt"), SECRET)?;
    let host_path = host.path().display().to_string();
    let attacks = attacks(&host_path);
    let calls: Vec<Value> = attacks.iter().map(|attack| attack.call.clone()).collect();
    let world = World::start(PROGRAM, &script(&calls)).await?;
    let client = &world.client;
    let neighbour = client.new_session("claude-sonnet-4-6").await?;
    // The script was fixed before this session was there; the model's name brings its folder into it.
    let folder = world.workspace(&neighbour).display().to_string();
    let attacker = client.new_session(&folder).await?;
    let mine = world.workspace(&neighbour).join("mine.txt");
    std::fs::create_dir_all(mine.parent().unwrap())?;
    std::fs::write(&mine, NEIGHBOURS)?;
    lay_links(
        &world.workspace(&attacker),
        host.path(),
        mine.parent().unwrap(),
    )?;

    for (number, attack) in attacks.iter().enumerate() {
        let outcome = call(client, &attacker, number).await?;
        let shown: String = outcome.text.chars().take(300).collect();
        assert_eq!(
            outcome.is_error, attack.is_error,
            "{}: {shown}",
            attack.name
        );
        assert!(
            outcome.text.contains(attack.answer),
            "{}: {shown}",
            attack.name
        );
        assert!(!outcome.text.contains(SECRET), "{}: {shown}", attack.name);
        assert!(
            !outcome.text.contains(NEIGHBOURS),
            "{}: {shown}",
            attack.name
        );
    }
    assert_eq!(
        std::fs::read_to_string(host.path().join("secret.txt"))?,
        SECRET
    );
    assert_eq!(
        std::fs::read_dir(host.path())?.count(),
        1,
        "nothing was made beside the secret"
    );
    assert_eq!(std::fs::read_to_string(&mine)?, NEIGHBOURS);
    check_neighbour(&world, &neighbour).await
}

/// Lays links in the attacker's workspace, as a repository from elsewhere might bring them.
fn lay_links(workspace: &Path, host: &Path, other: &Path) -> Result<()> {
    std::fs::create_dir_all(workspace)?;
    let link = |to: &Path, name: &str| symlink(to, workspace.join(name));
    link(Path::new("/"), "to-root")?;
    link(host, "to-host")?;
    link(&host.join("secret.txt"), "to-secret")?;
    link(Path::new("../../../../../../../../../.."), "to-above")?;
    link(other, "to-other")?;
    link(Path::new("to-itself"), "to-itself")?;
    let pipe = workspace.join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )?;
    Ok(())
}
