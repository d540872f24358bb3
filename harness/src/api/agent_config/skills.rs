//! Skill references of an agent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::body::{Invalid, Spot};

/// Most skills of one agent.
const SKILLS_MAX: usize = 500;
/// Longest skill id or version in characters.
const ID_CHARACTERS_MAX: usize = 128;

/// Reads `skills`; a version that is not named is `latest`, which each session resolves for itself.
pub(super) fn read(spot: Spot) -> Result<Vec<Value>, Invalid> {
    let mut seen = BTreeSet::new();
    let mut skills = Vec::new();
    for entry in spot.array(SKILLS_MAX)? {
        let path = entry.path.clone();
        let (tag, mut fields) = entry.tagged()?;
        let kind = tag.one_of(&["anthropic", "custom"])?;
        let id = fields.required("skill_id")?.text(1, ID_CHARACTERS_MAX)?;
        let version = match fields.take("version").given() {
            None => "latest".to_owned(),
            Some(spot) => spot.text(1, ID_CHARACTERS_MAX)?,
        };
        fields.finish()?;
        if !seen.insert((kind, id.clone())) {
            return Err(Invalid::at(path, "the same skill stands in the list twice"));
        }
        skills.push(json!({ "type": kind, "skill_id": id, "version": version }));
    }
    Ok(skills)
}
