//! One tool call of a workload: what the model asks for, and what it must do to the files, once.

use serde_json::{Value, json};

use super::files::Files;

/// Lines of a large file; each has up to ten digits, so it is well over a megabyte.
const LARGE_LINES: usize = 130_000;
/// The multiplier and modulus of the numbers in it: exact in a double, and poor to compress.
const LARGE_MULTIPLIER: u64 = 16_807;
const LARGE_MODULUS: u64 = 2_147_483_647;

/// What a call does to the files.
#[derive(Clone)]
enum Effect {
    Append(String, String),
    /// Adds the next number, which the shell keeps, as a line.
    Count(String),
    Write(String, Vec<u8>),
    Edit(String, String, String),
    Link(String, String),
    Rename(String, String),
    Remove(String),
    Folder(String),
}

/// A call.
#[derive(Clone)]
pub struct Op {
    tool: &'static str,
    input: Value,
    effects: Vec<Effect>,
}

impl Op {
    fn bash(command: String, effects: Vec<Effect>) -> Self {
        Self {
            tool: "bash",
            input: json!({ "command": command }),
            effects,
        }
    }

    /// Adds a line: the witness that a call ran once.
    pub fn append(path: &str, token: &str) -> Self {
        let line = format!("{token}\n");
        Self::bash(
            format!("echo {token} >> {path}"),
            vec![Effect::Append(path.to_owned(), line)],
        )
    }

    /// Adds one to a number that only the shell keeps, and writes it down.
    pub fn count() -> Self {
        let path = "/workspace/count";
        Self::bash(
            format!("n=$((n+1)); echo $n >> {path}"),
            vec![Effect::Count(path.to_owned())],
        )
    }

    /// Writes a file with the tool for it.
    pub fn write(path: &str, text: &str) -> Self {
        Self {
            tool: "write",
            input: json!({"file_path": path, "content": text}),
            effects: vec![Effect::Write(path.to_owned(), text.into())],
        }
    }

    /// Edits a file with the tool for it.
    pub fn edit(path: &str, old: &str, new: &str) -> Self {
        Self {
            tool: "edit",
            input: json!({"file_path": path, "old_string": old, "new_string": new}),
            effects: vec![Effect::Edit(
                path.to_owned(),
                old.to_owned(),
                new.to_owned(),
            )],
        }
    }

    /// Makes a folder of many levels with a file at its end and a link.
    pub fn deep(folder: &str) -> Self {
        Self::bash(
            format!(
                "mkdir -p {folder}/x/y/z && echo deep > {folder}/x/y/z/f && ln -s x/y {folder}/link"
            ),
            vec![
                Effect::Write(format!("{folder}/x/y/z/f"), b"deep\n".to_vec()),
                Effect::Link(format!("{folder}/link"), "x/y".to_owned()),
            ],
        )
    }

    /// Makes many small files.
    pub fn many(folder: &str, files: usize) -> Self {
        let effect = |n| Effect::Write(format!("{folder}/{n}"), format!("{folder} {n}\n").into());
        Self::bash(
            format!(
                "mkdir {folder}; for i in $(seq 1 {files}); do echo {folder} $i > {folder}/$i; done"
            ),
            (1..=files).map(effect).collect(),
        )
    }

    /// Writes a large file that packs badly.
    pub fn large(path: &str, seed: u64) -> Self {
        let mut text = String::new();
        let mut number = seed;
        for _ in 0..LARGE_LINES {
            number = number * LARGE_MULTIPLIER % LARGE_MODULUS;
            text.push_str(&format!("{number}\n"));
        }
        let program = format!(
            "BEGIN {{ x = {seed}; for (i = 0; i < {LARGE_LINES}; i++) {{ \
             x = (x * {LARGE_MULTIPLIER}) % {LARGE_MODULUS}; printf \"%d\\n\", x }} }}"
        );
        Self::bash(
            format!("awk '{program}' > {path}"),
            vec![Effect::Write(path.to_owned(), text.into_bytes())],
        )
    }

    /// Moves.
    pub fn rename(from: &str, to: &str) -> Self {
        Self::bash(
            format!("mv {from} {to}"),
            vec![Effect::Rename(from.to_owned(), to.to_owned())],
        )
    }

    /// Removes a folder.
    pub fn remove(path: &str) -> Self {
        Self::bash(
            format!("rm -r {path}"),
            vec![Effect::Remove(path.to_owned())],
        )
    }

    /// Puts an empty folder in the place of a full one.
    pub fn replace_folder(path: &str) -> Self {
        Self::bash(
            format!("rm -r {path} && mkdir {path}"),
            vec![
                Effect::Remove(path.to_owned()),
                Effect::Folder(path.to_owned()),
            ],
        )
    }

    /// Lets a process in the background write, and waits for it.
    pub fn background(path: &str, token: &str) -> Self {
        let lines = format!("{token}-1\n{token}-2\n{token}-3\n");
        Self::bash(
            format!("(for i in 1 2 3; do echo {token}-$i >> {path}; sleep 0.01; done) & wait"),
            vec![Effect::Append(path.to_owned(), lines)],
        )
    }

    /// Leaves a process behind that writes when the call has ended, if it comes to that.
    pub fn late(token: &str) -> Self {
        let path = super::files::LATE;
        Self::bash(format!("(sleep 0.1; echo {token} >> {path}) &"), Vec::new())
    }

    /// Changes a memory store: a line more, a new file, one less. No file that the session keeps itself changes.
    pub fn memory(mount: &str, token: &str) -> Self {
        Self::bash(
            format!(
                "cd {mount} && echo {token} >> log.md && echo {token} > {token}.md; cd /workspace"
            ),
            Vec::new(),
        )
    }

    /// Removes a memory.
    pub fn forget(mount: &str, name: &str) -> Self {
        Self::bash(format!("rm {mount}/{name}"), Vec::new())
    }

    /// Sums up all files of the workspace, see [`Files::sum`].
    pub fn sum() -> Self {
        Self::bash(
            "find . -type f ! -name late.txt | LC_ALL=C sort | xargs sha256sum | sha256sum"
                .to_owned(),
            Vec::new(),
        )
    }

    /// Asks the client.
    pub fn custom(name: &'static str) -> Self {
        Self {
            tool: name,
            input: json!({}),
            effects: Vec::new(),
        }
    }

    /// Tells whether a hand runs it.
    pub fn is_built_in(&self) -> bool {
        matches!(self.tool, "bash" | "write" | "edit")
    }

    /// Returns the call as a script has it.
    pub fn scripted(&self) -> Value {
        json!({"name": self.tool, "input": self.input})
    }

    /// Does to the files what the call must do to them.
    pub fn apply(&self, files: &mut Files) {
        for effect in &self.effects {
            match effect {
                Effect::Append(path, text) => files.append(path, text),
                Effect::Count(path) => {
                    let lines = files.bytes(path).unwrap_or_default();
                    let lines = lines.iter().filter(|byte| **byte == b'\n').count();
                    files.append(path, &format!("{}\n", lines + 1));
                }
                Effect::Write(path, bytes) => files.write(path, bytes.clone()),
                Effect::Edit(path, old, new) => files.edit(path, old, new),
                Effect::Link(path, target) => files.link(path, target),
                Effect::Rename(from, to) => files.rename(from, to),
                Effect::Remove(path) => files.remove(path),
                Effect::Folder(path) => files.make_folder(path),
            }
        }
    }
}
