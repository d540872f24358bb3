//! Attacks by size: more output, files, memory or time than a session may have.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use sinew_tests::client::idle_reason;
use sinew_tests::log_rules;
use sinew_tests::world::World;

use crate::{PROGRAM, call, check_neighbour, script};

/// Length of the sparse file in the attacker's workspace.
const SPARSE_BYTES: u64 = 1 << 36;
/// Lines of the long file, and one of them.
const LONG_LINES: usize = 500_000;
const LONG_LINE: &str = "a line of a large text\n";
/// Empty files in one folder.
const MANY: usize = 5_000;

/// Small bounds, so that they are reached soon: what the session's files take from the start counts (holes take
/// nothing), and above it there is room for two files of a certain size and a few names.
fn configuration() -> String {
    let there = LONG_LINES * LONG_LINE.len();
    let (bytes, names) = (there + 700_000, MANY + 20);
    format!(
        "hand: {{memory_bytes_max: 24000000, call_ms_max: 3000, written_bytes_max: {bytes}, files_max: {names}}}"
    )
}

/// Longest result that the model and the log get, in characters, with a margin for what goes around it.
const SHOWN_CHARS_MAX: usize = 101_000;

/// One attack: what it does, its call, whether it is an error, and a part of the answer.
type Attack = (&'static str, Value, bool, &'static str);

fn attacks() -> Vec<Attack> {
    let call = |tool: &str, input: Value| json!({"name": tool, "input": input});
    let large = "m".repeat(300_000);
    vec![
        (
            "read a sparse file of 64 GiB",
            call("read", json!({"file_path": "sparse"})),
            true,
            "exceeds 262144-byte limit",
        ),
        (
            "read the end of it",
            call(
                "read",
                json!({"file_path": "sparse", "view_range": [1, -1]}),
            ),
            true,
            "exceeds 262144-byte limit",
        ),
        (
            "edit it",
            call(
                "edit",
                json!({"file_path": "sparse", "old_string": "a", "new_string": "b"}),
            ),
            true,
            "exceeds 16777216-byte limit",
        ),
        (
            "search it",
            call("grep", json!({"pattern": "a", "path": "sparse"})),
            true,
            "_time)",
        ),
        (
            "search a large text for everything",
            call("grep", json!({"pattern": "^", "path": "long"})),
            false,
            "[output truncated at 102400 bytes]",
        ),
        (
            "read a large text",
            call("read", json!({"file_path": "long"})),
            true,
            "exceeds 262144-byte limit",
        ),
        (
            "list very many files",
            call("glob", json!({"pattern": "many/*"})),
            false,
            "/workspace/many/file-",
        ),
        (
            "hold a large text in memory, twice",
            call(
                "edit",
                json!({"file_path": "long",
            "old_string": "a line", "new_string": "b line", "replace_all": true}),
            ),
            true,
            "out of memory",
        ),
        (
            "a pattern that explodes",
            call("grep", json!({"pattern": "((a{1000}){1000}){1000}"})),
            true,
            "(limit memory)",
        ),
        (
            "a glob that explodes",
            call(
                "glob",
                json!({"pattern": format!("{}x", "{a,b}".repeat(10_000))}),
            ),
            true,
            "longer than 4096 bytes",
        ),
        (
            "a large file",
            call("write", json!({"file_path": "large-1", "content": large})),
            false,
            "wrote",
        ),
        (
            "another",
            call("write", json!({"file_path": "large-2", "content": large})),
            false,
            "wrote",
        ),
        (
            "a third, over the quota",
            call("write", json!({"file_path": "large-3", "content": large})),
            true,
            "no space left",
        ),
        (
            "a folder in a folder, very often",
            call(
                "write",
                json!({"file_path": format!("{}f", "d/".repeat(1_000)), "content": "x"}),
            ),
            true,
            "no space left",
        ),
        (
            "input of a wrong type",
            call("read", json!({"file_path": 7})),
            true,
            "expected a string, got the number 7",
        ),
        (
            "a range of madness",
            call(
                "read",
                json!({"file_path": "long",
            "view_range": [i64::MIN, i64::MAX]}),
            ),
            true,
            "exceeds 262144-byte limit",
        ),
        (
            "a tool that is none",
            call("format_disk", json!({})),
            true,
            "Permission to use format_disk has been denied.",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_an_answer_and_no_crash() -> Result<()> {
    let attacks = attacks();
    let calls: Vec<Value> = attacks.iter().map(|(_, call, _, _)| call.clone()).collect();
    let world = World::start_with(PROGRAM, &script(&calls), &configuration()).await?;
    let client = &world.client;
    let neighbour = client.new_session("claude-sonnet-4-6").await?;
    let attacker = client.new_session("claude-sonnet-4-6").await?;
    lay_files(&world.workspace(&attacker))?;
    for (number, (name, _, is_error, answer)) in attacks.iter().enumerate() {
        let outcome = call(client, &attacker, number).await?;
        let shown: String = outcome.text.chars().take(300).collect();
        assert_eq!(outcome.is_error, *is_error, "{name}: {shown}");
        assert!(outcome.text.contains(answer), "{name}: {shown}");
        assert!(
            outcome.text.chars().count() <= SHOWN_CHARS_MAX,
            "{name}: {} bytes",
            outcome.text.len()
        );
    }
    check_neighbour(&world, &neighbour).await
}

fn lay_files(workspace: &Path) -> Result<()> {
    let many = workspace.join("many");
    std::fs::create_dir_all(&many)?;
    for number in 0..MANY {
        File::create(many.join(format!("file-{number}")))?;
    }
    File::create(workspace.join("sparse"))?.set_len(SPARSE_BYTES)?;
    std::fs::write(workspace.join("long"), LONG_LINE.repeat(LONG_LINES))?;
    Ok(())
}

/// The model itself is the attacker, or merely bad: what it calls a tool with is not what a tool can have.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_talks_nonsense_ends_its_turn_only() -> Result<()> {
    let nonsense = ["[1, 2]", "{\"file_path\": ", "", "null"];
    let calls: Vec<Value> = nonsense
        .iter()
        .map(|input| json!({"name": "read", "input_text": input}))
        .collect();
    let world = World::start_with(
        PROGRAM,
        &script(&calls),
        "retries: {attempts_max: 2, first_ms: 1}",
    )
    .await?;
    let client = &world.client;
    let neighbour = client.new_session("claude-sonnet-4-6").await?;
    for number in 0..nonsense.len() {
        let session = client.new_session("claude-sonnet-4-6").await?;
        client
            .message(&session, &format!("[call {number}]"))
            .await?;
        let mut stream = client.stream(&session, "").await?;
        let mut events = client.events(&session).await?;
        while idle_reason(&events).is_none() {
            stream.next().await?;
            events = client.events(&session).await?;
        }
        log_rules::check(&events)?;
    }
    check_neighbour(&world, &neighbour).await
}
