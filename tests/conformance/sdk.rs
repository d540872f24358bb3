//! The official Python SDK, unmodified, against the daemon: each file in `python/` but the shared one is run
//! as a program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sinew_tests::python;
use sinew_tests::world::World;

use crate::PROGRAM;

/// What every scenario shares.
const SHARED: &str = "support.py";

const SCRIPT: &str = r#"
chunk_chars: 6
rules:
  - when: {last_user_text_contains: say a word}
    text: A word.
  - when: {last_user_text_contains: answer now}
    text: Here I am.
conversations:
  - when: {first_user_text_contains: use every tool}
    turns:
      - thinking: First two files.
        text: I make two files.
        tools:
          - {name: write, input: {file_path: notes/a.txt, content: "one\ntwo\nthree\n"}}
          - {name: write, input: {file_path: /workspace/notes/b.txt, content: "four\n"}}
      - tools: [{name: read, input: {file_path: notes/a.txt}}]
      - tools: [{name: edit, input: {file_path: notes/a.txt, old_string: two, new_string: TWO}}]
      - tools:
          - {name: grep, input: {pattern: "^T"}}
          - {name: glob, input: {pattern: "**/*.txt"}}
      - text: "The changed line: ${tool_result.0}"
  - when: {first_user_text_contains: stop in the middle}
    turns:
      - thinking: A thought.
        text: A text that is long enough to come in several pieces.
        hang_after: 5
  - when: {first_user_text_contains: never answer}
    turns: [{hang: true, text: never}]
  - when: {first_user_text_contains: something forbidden}
    turns: [{text: "No.", refusal: {category: cyber, explanation: "Not allowed."}}]
  - when: {first_user_text_contains: a bad request}
    turns: [{error: {status: 400, message: "the request is bad"}}]
  - when: {first_user_text_contains: look two words up}
    turns:
      - tools:
          - {name: lookup, input: {word: sinew}}
          - {name: lookup, input: {word: nerve}}
      - text: "${tool_result.0}; ${tool_result.1}"
  - when: {first_user_text_contains: remember the colour}
    turns:
      - tools:
          - name: bash
            input:
              command: |
                cat /mnt/memory/shared-notes/old.md /mnt/memory/fixed/rules.md
                echo blue > /mnt/memory/shared-notes/colour.md
                rm /mnt/memory/shared-notes/old.md
                echo x > /mnt/memory/fixed/mine.md || echo refused-fixed
                echo x > /mnt/memory/mine.md || echo refused-root
          - {name: write, input: {file_path: /mnt/memory/shared-notes/deep/number.md, content: seven}}
          - {name: bash, input: {command: "yes | head -c 200000 > /mnt/memory/shared-notes/big.md"}}
      - text: I know it now.
  - when: {first_user_text_contains: which colour was it}
    turns:
      - tools: [{name: bash, input: {command: "printf %s $(cat /mnt/memory/shared-notes/colour.md)"}}]
      - text: "It was ${last_tool_result}"
      - tools: [{name: bash, input: {command: "printf %s $(cat /mnt/memory/shared-notes/colour.md)"}}]
      - text: "It was ${last_tool_result}"
  - when: {first_user_text_contains: write two files}
    turns:
      - tools:
          - {name: write, input: {file_path: good.txt, content: "yes"}}
          - {name: write, input: {file_path: bad.txt, content: "no"}}
          - {name: grep, input: {pattern: "yes"}}
      - tools: [{name: read, input: {file_path: good.txt}}]
      - text: "good.txt holds: ${last_tool_result}"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdk_works_unmodified() -> Result<()> {
    let world = World::start(PROGRAM, SCRIPT).await?;
    let python = python::interpreter()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/python");
    let mut programs: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    programs
        .retain(|path| path.extension().is_some_and(|end| end == "py") && !path.ends_with(SHARED));
    programs.sort();
    ensure!(programs.len() >= 3, "programs are missing: {programs:?}");
    for program in programs {
        let mut command = Command::new(&python);
        command
            .arg("-B")
            .arg(&program)
            .env("SINEW_TEST_URL", &world.client.url)
            .env("SINEW_TEST_MODEL", world.model.url())
            .env_remove("ANTHROPIC_BASE_URL")
            .env_remove("ANTHROPIC_API_KEY");
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        let output = output.with_context(|| format!("cannot run {}", python.display()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(
            output.status.success(),
            "{} failed:\n{}\n{}",
            program.display(),
            text(&output.stdout),
            text(&output.stderr)
        );
        print!("{}", text(&output.stdout));
    }
    Ok(())
}
