//! The files of a skill's version: one folder with a `SKILL.md` that says what the skill is.

use serde::Deserialize;

use crate::api::body::Invalid;
use crate::api::error::quoted;
use crate::archive::{self, ArchiveError, Bounds, Entry, Paths};

/// What one version may hold.
pub(crate) const BOUNDS: Bounds = Bounds {
    bytes_max: 30 << 20,
    files_max: 1_000,
};
/// The file that every skill has.
const SKILL_FILE: &str = "SKILL.md";
/// Longest name in characters.
const NAME_CHARACTERS_MAX: usize = 64;
/// Longest description in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 1_024;
/// Longest front matter in bytes.
const FRONT_BYTES_MAX: usize = 64 << 10;

/// A checked version.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bundle {
    /// The skill's name, which is the top folder of `entries`.
    pub(super) name: String,
    /// What the skill is for.
    pub(super) description: String,
    /// Its files, in order of their paths.
    pub(super) entries: Vec<Entry>,
}

/// What the first lines of `SKILL.md` say, as far as it matters here.
#[derive(Deserialize)]
struct Front {
    name: Option<String>,
    description: Option<String>,
}

/// Checks uploaded files: one zip archive, or files whose names carry their folder.
pub(super) fn read(mut uploaded: Vec<Entry>) -> Result<Bundle, Invalid> {
    let is_archive = match uploaded.as_slice() {
        [one] => one.content.starts_with(b"PK\x03\x04") && !one.path.contains('/'),
        _ => false,
    };
    if is_archive {
        let zip = uploaded.remove(0).content;
        uploaded = archive::unpack(&zip, BOUNDS).map_err(refusal)?;
        // Some pack the folder, some what is in it.
        if uploaded.iter().any(|entry| entry.path == SKILL_FILE) {
            for entry in &mut uploaded {
                entry.path.insert_str(0, "skill/");
            }
        }
    } else {
        check(&uploaded).map_err(refusal)?;
    }
    bundle(uploaded)
}

fn check(entries: &[Entry]) -> Result<(), ArchiveError> {
    let mut paths = Paths::default();
    entries.iter().try_for_each(|entry| paths.add(&entry.path))
}

fn refusal(error: ArchiveError) -> Invalid {
    Invalid::at("files[]", error.to_string())
}

fn bundle(mut entries: Vec<Entry>) -> Result<Bundle, Invalid> {
    let refuse = |message: String| Err(Invalid::at("files[]", message));
    let Some(first) = entries.first() else {
        return refuse("at least one file is required".to_owned());
    };
    let top = first.path.split('/').next().unwrap_or_default().to_owned();
    let is_outside = |entry: &&Entry| entry.path.split_once('/').map(|(top, _)| top) != Some(&*top);
    if let Some(other) = entries.iter().find(is_outside) {
        return refuse(format!(
            "all files must be in one top folder, {} is not in {}",
            quoted(&other.path),
            quoted(&top)
        ));
    }
    let path = format!("{top}/{SKILL_FILE}");
    let Some(skill_file) = entries.iter().find(|entry| entry.path == path) else {
        return refuse(format!("there is no {}", quoted(&path)));
    };
    let front = match front_matter(&skill_file.content) {
        Ok(front) => front,
        Err(why) => return refuse(format!("{SKILL_FILE}: {why}")),
    };
    let name = front.name.unwrap_or_else(|| top.clone());
    let is_named = (1..=NAME_CHARACTERS_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_named {
        return refuse(format!(
            "{SKILL_FILE}: name: expected 1 to {NAME_CHARACTERS_MAX} lower-case letters, digits and hyphens, got {}",
            quoted(&name)
        ));
    }
    let description = front.description.unwrap_or_default().trim().to_owned();
    let count = description.chars().count();
    if !(1..=DESCRIPTION_CHARACTERS_MAX).contains(&count) {
        return refuse(format!(
            "{SKILL_FILE}: description: expected 1 to {DESCRIPTION_CHARACTERS_MAX} characters, got {count}"
        ));
    }
    for entry in &mut entries {
        entry.path.replace_range(..top.len(), &name);
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Bundle {
        name,
        description,
        entries,
    })
}

/// Reads the YAML between the first line, `---`, and the next such line.
fn front_matter(content: &[u8]) -> Result<Front, String> {
    let text = std::str::from_utf8(content).map_err(|_| "expected UTF-8 text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let missing = || "expected front matter between two lines of ---".to_owned();
    let mut lines = text.split_inclusive('\n');
    if lines.next().map(str::trim_end) != Some("---") {
        return Err(missing());
    }
    let mut yaml = String::new();
    for line in lines {
        if line.trim_end() == "---" {
            return serde_saphyr::from_str(&yaml)
                .map_err(|error| format!("the front matter cannot be read: {error}"));
        }
        yaml.push_str(line);
        if yaml.len() > FRONT_BYTES_MAX {
            return Err(format!(
                "the front matter has more than {FRONT_BYTES_MAX} bytes"
            ));
        }
    }
    Err(missing())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: &str =
        "---\nname: pdf-tools\ndescription: Works with PDFs.\nlicense: MIT\n---\n# PDF\n";

    fn file(path: &str, content: &str) -> Entry {
        Entry {
            path: path.to_owned(),
            content: content.as_bytes().to_vec(),
            is_executable: false,
        }
    }

    fn zip(entries: &[Entry]) -> Vec<Entry> {
        vec![Entry {
            path: "upload.zip".to_owned(),
            content: archive::pack(entries).unwrap(),
            is_executable: false,
        }]
    }

    #[test]
    fn folders_and_archives_become_the_same() {
        let files = |top: &str| {
            [
                file(&format!("{top}b/x.py"), "x"),
                file(&format!("{top}SKILL.md"), FRONT),
            ]
        };
        let expected = read(files("any/").to_vec()).unwrap();
        assert_eq!(
            (expected.name.as_str(), expected.description.as_str()),
            ("pdf-tools", "Works with PDFs.")
        );
        let paths: Vec<&str> = expected
            .entries
            .iter()
            .map(|entry| entry.path.as_str())
            .collect();
        assert_eq!(paths, ["pdf-tools/SKILL.md", "pdf-tools/b/x.py"]);
        for upload in [
            zip(&files("other/")),
            zip(&files("")),
            expected.entries.clone(),
        ] {
            assert_eq!(read(upload).unwrap(), expected);
        }
        let unnamed = FRONT.replace("name: pdf-tools\n", "").replace('\n', "\r\n");
        let named = read(vec![file("my-skill/SKILL.md", &unnamed)]).unwrap();
        assert_eq!(named.name, "my-skill");
    }

    #[test]
    fn what_is_no_skill_is_refused() {
        let skill = |front: &str| vec![file("s/SKILL.md", front)];
        let long = format!("---\nname: a\ndescription: {}\n---\n", "é".repeat(1_025));
        let large = format!("---\nname: a\nx: {}\n---\n", "y".repeat(70_000));
        for (upload, fragment) in [
            (vec![], "at least one file"),
            (vec![file("SKILL.md", FRONT)], "one top folder"),
            (
                vec![file("a/SKILL.md", FRONT), file("b/x", "")],
                "one top folder",
            ),
            (
                vec![file("a/x", ""), file("a/b/SKILL.md", FRONT)],
                "no \"a/SKILL.md\"",
            ),
            (
                vec![file("a/SKILL.md", FRONT), file("a/SKILL.md", "")],
                "twice",
            ),
            (
                vec![file("a/SKILL.md", FRONT), file("a/../b", "")],
                ".. parts",
            ),
            (vec![file("/a/SKILL.md", FRONT)], "relative path"),
            (skill("# no front"), "front matter between"),
            (skill("---\nname: a\n"), "front matter between"),
            (skill("---\nname: [\n---\n"), "cannot be read"),
            (
                skill("---\nname: A b\ndescription: d\n---\n"),
                "lower-case letters",
            ),
            (
                skill("---\nname: a\n---\n"),
                "description: expected 1 to 1024",
            ),
            (skill(&long), "got 1025"),
            (skill(&large), "more than 65536 bytes"),
            (vec![file("a.zip", "PK\u{3}\u{4}nothing")], "damaged"),
        ] {
            let error = read(upload).unwrap_err();
            assert_eq!(error.path, "files[]");
            assert!(error.message.contains(fragment), "{fragment}: {error}");
        }
    }
}
