//! What sessions do while daemons die: the script of the model, and what must come of it as if nothing had died.

mod files;
mod op;

use serde_json::{Value, json};

pub use self::files::Files;
use self::op::Op;

/// The custom tool of [`Kind::Client`].
pub const CUSTOM_TOOL: &str = "lookup";
/// Where [`Kind::Memory`] has its memory store.
pub const MEMORY_MOUNT: &str = "/mnt/memory/notes";
/// Memories that are there before.
pub const MEMORIES_BEFORE: [&str; 2] = ["log", "gone"];
/// What [`Kind::Memory`] adds, a line of its log and a memory each.
pub const MEMORY_TOKENS: [&str; 3] = ["first", "second", "third"];

const LOG: &str = "/workspace/log.txt";

/// The sessions of one workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Small files and folders, edited, moved and removed; what the shell keeps.
    Small,
    /// Nothing but whole folders that come, move and go.
    Folders,
    /// Files that go into packs, folders of many files.
    Large,
    /// A memory store, and outputs.
    Memory,
    /// Calls that the client answers; processes in the background.
    Client,
    /// Calls whose changes wait for somebody's word.
    Reviewed,
    /// A session that is forked and goes back and forth between its turns.
    Branches,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Small,
        Self::Folders,
        Self::Large,
        Self::Memory,
        Self::Client,
        Self::Reviewed,
        Self::Branches,
    ];

    /// What the user says, one after the other, each once the session has come to an end.
    pub fn messages(self) -> [String; 2] {
        [format!("Begin the work {self:?}."), "Go on.".to_owned()]
    }
}

/// One answer of the model.
enum Turn {
    Calls(Vec<Op>),
    Words(String),
}

/// What one kind of session does.
pub struct Plot {
    pub kind: Kind,
    turns: Vec<Turn>,
    /// The session's own files once so many calls have been answered by its hand.
    pub states: Vec<Files>,
}

impl Plot {
    /// Returns the plot of a kind.
    pub fn new(kind: Kind) -> Self {
        let one = |op| Turn::Calls(vec![op]);
        let mut turns = match kind {
            Kind::Small => small(),
            Kind::Folders => folders(),
            Kind::Large => large(),
            Kind::Memory => memory(),
            Kind::Client => client(),
            Kind::Reviewed => reviewed(),
            Kind::Branches => branches(),
        };
        let half = turns.len() / 2;
        turns.insert(half, Turn::Words("Half of it is done.".to_owned()));
        turns.push(one(Op::sum()));
        turns.push(Turn::Words("The sum is ${last_tool_result}".to_owned()));
        let mut states = vec![Files::default()];
        for turn in &turns {
            let Turn::Calls(ops) = turn else {
                continue;
            };
            for op in ops.iter().filter(|op| op.is_built_in()) {
                let mut next = states.last().unwrap().clone();
                op.apply(&mut next);
                states.push(next);
            }
        }
        Self {
            kind,
            turns,
            states,
        }
    }

    /// Returns the files at the end.
    pub fn end(&self) -> &Files {
        self.states.last().unwrap()
    }

    /// Returns what the model says last.
    pub fn last_words(&self) -> String {
        format!("The sum is {}  -\n", self.end().sum())
    }

    /// Returns how many calls are made, those that the client answers included.
    pub fn calls(&self) -> usize {
        let calls = self.turns.iter().map(|turn| match turn {
            Turn::Calls(ops) => ops.len(),
            Turn::Words(_) => 0,
        });
        calls.sum()
    }

    fn scripted(&self) -> Value {
        let turn = |turn: &Turn| match turn {
            Turn::Calls(ops) => {
                let calls: Vec<Value> = ops.iter().map(Op::scripted).collect();
                json!({ "tools": calls })
            }
            Turn::Words(text) => json!({ "text": text }),
        };
        let [first, _] = self.kind.messages();
        json!({
            "when": {"first_user_text_contains": first},
            "turns": self.turns.iter().map(turn).collect::<Vec<_>>(),
        })
    }
}

/// Returns the script of a model that plays all of them.
pub fn script(plots: &[Plot]) -> String {
    let conversations: Vec<Value> = plots.iter().map(Plot::scripted).collect();
    json!({"chunk_chars": 4_096, "conversations": conversations}).to_string()
}

fn small() -> Vec<Turn> {
    let file = "/workspace/a/one.txt";
    let calls = vec![
        vec![Op::append(LOG, "small-1"), Op::write(file, "one")],
        vec![Op::count(), Op::edit(file, "one", "ONE")],
        vec![Op::deep("/workspace/deep")],
        vec![Op::rename("/workspace/deep", "/workspace/moved")],
        vec![Op::append(LOG, "small-2"), Op::count()],
        vec![Op::many("/workspace/many", 20)],
        vec![Op::rename("/workspace/many", "/workspace/lots")],
        vec![Op::remove("/workspace/moved"), Op::append(LOG, "small-3")],
        vec![Op::write(file, "again"), Op::count()],
        vec![Op::replace_folder("/workspace/lots")],
        vec![Op::deep("/workspace/lots/deep"), Op::append(LOG, "small-4")],
        vec![Op::rename("/workspace/a", "/workspace/b"), Op::count()],
        vec![Op::remove("/workspace/lots"), Op::append(LOG, "small-5")],
    ];
    calls.into_iter().map(Turn::Calls).collect()
}

fn folders() -> Vec<Turn> {
    let mut ops = vec![Op::append(LOG, "folders-1"), Op::deep("/workspace/a")];
    for _ in 0..4 {
        ops.extend([
            Op::rename("/workspace/a", "/workspace/b"),
            Op::deep("/workspace/b/inner"),
            Op::rename("/workspace/b", "/tmp/c"),
            Op::replace_folder("/tmp/c/inner"),
            Op::rename("/tmp/c", "/workspace/a"),
            Op::replace_folder("/workspace/a"),
            Op::deep("/workspace/a/again"),
        ]);
    }
    ops.push(Op::append(LOG, "folders-2"));
    ops.into_iter().map(|op| Turn::Calls(vec![op])).collect()
}

fn large() -> Vec<Turn> {
    let big = "/workspace/big.txt";
    let calls = vec![
        vec![Op::append(LOG, "large-1"), Op::large(big, 11)],
        vec![Op::append(big, "one more"), Op::append(LOG, "large-2")],
        vec![Op::many("/workspace/many", 60)],
        vec![Op::count(), Op::large("/workspace/many/big.txt", 12)],
        vec![Op::rename("/workspace/many", "/tmp/many")],
        vec![Op::append(LOG, "large-3"), Op::append(big, "and more")],
        vec![Op::remove("/tmp/many"), Op::count()],
        vec![Op::large("/workspace/next.txt", 13)],
        vec![
            Op::rename("/workspace/next.txt", big),
            Op::append(LOG, "large-4"),
        ],
    ];
    calls.into_iter().map(Turn::Calls).collect()
}

fn memory() -> Vec<Turn> {
    let [first, second, third] = MEMORY_TOKENS;
    let output = "/mnt/session/outputs/report.txt";
    let calls = vec![
        vec![Op::append(LOG, "memory-1"), Op::memory(MEMORY_MOUNT, first)],
        vec![Op::append(output, "one"), Op::count()],
        vec![Op::forget(MEMORY_MOUNT, "gone.md")],
        vec![
            Op::memory(MEMORY_MOUNT, second),
            Op::append(LOG, "memory-2"),
        ],
        vec![Op::append(output, "two")],
        vec![Op::count(), Op::memory(MEMORY_MOUNT, third)],
        vec![Op::append(LOG, "memory-3")],
    ];
    calls.into_iter().map(Turn::Calls).collect()
}

fn client() -> Vec<Turn> {
    let lines = "/workspace/lines.txt";
    let calls = vec![
        vec![Op::append(LOG, "client-1"), Op::custom(CUSTOM_TOOL)],
        vec![Op::background(lines, "background-a"), Op::count()],
        vec![Op::late("late-1"), Op::append(LOG, "client-2")],
        vec![Op::custom(CUSTOM_TOOL), Op::late("late-2")],
        vec![
            Op::deep("/workspace/deep"),
            Op::background(lines, "background-b"),
        ],
        vec![
            Op::rename("/workspace/deep", "/workspace/other"),
            Op::late("late-3"),
        ],
        vec![Op::custom(CUSTOM_TOOL)],
        vec![Op::append(LOG, "client-3"), Op::count()],
    ];
    calls.into_iter().map(Turn::Calls).collect()
}

fn reviewed() -> Vec<Turn> {
    let file = "/workspace/a/one.txt";
    let calls = vec![
        vec![Op::append(LOG, "reviewed-1")],
        vec![Op::write(file, "one"), Op::edit(file, "one", "ONE")],
        vec![Op::large("/workspace/big.txt", 14)],
        vec![Op::deep("/workspace/deep"), Op::append(LOG, "reviewed-2")],
        vec![Op::rename("/workspace/deep", "/workspace/moved")],
        vec![Op::append(LOG, "reviewed-3"), Op::count()],
        vec![Op::remove("/workspace/moved")],
    ];
    calls.into_iter().map(Turn::Calls).collect()
}

fn branches() -> Vec<Turn> {
    let calls = vec![
        vec![Op::append(LOG, "branches-1"), Op::count()],
        vec![Op::deep("/workspace/deep")],
        vec![Op::large("/workspace/big.txt", 15)],
        vec![Op::append(LOG, "branches-2"), Op::count()],
        vec![Op::rename("/workspace/deep", "/workspace/moved")],
        vec![Op::append(LOG, "branches-3"), Op::count()],
        vec![Op::many("/workspace/many", 10)],
        vec![Op::append(LOG, "branches-4")],
    ];
    calls.into_iter().map(Turn::Calls).collect()
}
