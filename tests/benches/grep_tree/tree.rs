//! A made-up source tree, the same each time.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

/// Folders of the tree; files are spread evenly.
const FOLDERS: usize = 250;

/// One file in so many holds the rare word.
const RARE_EVERY: usize = 100;

/// What the rare lines hold.
pub const RARE_WORD: &str = "quarantine_ledger";

/// Words that make up the lines.
const WORDS: [&str; 24] = [
    "buffer", "cursor", "session", "lease", "store", "event", "handle", "limit", "queue", "token",
    "frame", "quota", "state", "draft", "reply", "index", "range", "guard", "batch", "epoch",
    "mount", "entry", "claim", "fence",
];

/// Writes `files` files of source-like text under `root`, with an ignore file and ignored output beside them.
pub fn make(root: &Path, files: usize) -> Result<()> {
    let mut dice = Dice(0x5eed);
    fs::create_dir(root.join(".git"))?;
    fs::write(root.join(".gitignore"), "target/\n*.log\n")?;
    fs::create_dir(root.join("target"))?;
    fs::write(root.join("target/out.rs"), format!("// {RARE_WORD}\n"))?;
    for number in 0..files {
        let folder = number % FOLDERS;
        let path = root.join(format!("crate{}/src/module{folder}", folder % 25));
        if number < FOLDERS {
            fs::create_dir_all(&path)?;
        }
        let extension = ["rs", "rs", "rs", "md", "toml", "log"][number % 6];
        let text = text(&mut dice, number);
        fs::write(path.join(format!("file{number}.{extension}")), text)?;
    }
    Ok(())
}

/// Writes one file's text: 20 to 220 lines.
fn text(dice: &mut Dice, number: usize) -> String {
    let mut text = String::new();
    let lines = 20 + dice.below(200);
    for line in 0..lines {
        let (one, two, three) = (dice.word(), dice.word(), dice.word());
        let indent = "    ".repeat(1 + line % 3);
        let _ = match line % 7 {
            0 => writeln!(text, "/// Returns the {one} of a {two} {three}."),
            1 => writeln!(
                text,
                "pub fn {one}_{two}({three}: &mut {one}) -> Result<{two}> {{"
            ),
            2 => writeln!(
                text,
                "{indent}let {one} = {two}.{three}(0x{:04x})?;",
                dice.below(65_536)
            ),
            3 => writeln!(
                text,
                "{indent}if {one}.is_{two}() && !{three}.is_empty() {{"
            ),
            4 => writeln!(text, "{indent}{one}.{two}({three}, {});", dice.below(1_000)),
            5 => writeln!(
                text,
                "{indent}// the {one} holds a {two} while its {three} lasts"
            ),
            _ => writeln!(text, "}}\n"),
        };
        if number % RARE_EVERY == 7 && line == lines / 2 {
            let _ = writeln!(text, "{indent}{RARE_WORD}({number});");
        }
    }
    text
}

/// A small generator of numbers, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }
}
