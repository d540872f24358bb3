//! The model of an agent: its id, and how hard, how fast and where it runs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::body::{Field, Invalid, Spot};
use crate::api::error::quoted;
use crate::model::Catalog;
use crate::model::catalog::Effort;

/// Longest model id in characters.
const ID_CHARACTERS_MAX: usize = 256;
const SPEEDS: [&str; 2] = ["standard", "fast"];
const GEOS: [&str; 2] = ["us", "global"];

/// How fast a model answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// The normal speed.
    Standard,
    /// Faster and dearer, where the model has it.
    Fast,
}

/// A resolved model, as it is stored and shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModelConfig {
    /// The model's id.
    pub id: String,
    /// How hard it works. In JSON `{"type": "high"}`.
    #[serde(with = "tagged_effort")]
    pub effort: Effort,
    /// How fast it answers.
    pub speed: Speed,
    /// `us` or `global`; absent means wherever the workspace says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_geo: Option<String>,
}

/// Which effort a model gets when the request names none.
#[derive(Clone, Copy, Debug)]
pub(super) enum EffortRule<'a> {
    /// The model's default.
    Default,
    /// That of the stored model, if its id stays the same.
    Keep(&'a ModelConfig),
    /// The model's default, even if the request names one.
    AlwaysDefault,
}

/// Reads a model id, or an object with an id.
pub(super) fn read(
    spot: Spot,
    catalog: &Catalog,
    rule: EffortRule<'_>,
) -> Result<ModelConfig, Invalid> {
    let path = spot.path.clone();
    let (id, effort, speed, inference_geo) = match &spot.value {
        Value::String(_) => (spot, None, None, None),
        Value::Object(_) => {
            let mut fields = spot.object()?;
            let id = fields.required("id")?;
            let effort = read_effort(fields.take("effort"))?;
            let speed = fields.take("speed").given();
            let geo = fields.take("inference_geo").given();
            fields.finish()?;
            (id, effort, speed, geo)
        }
        _ => return Err(spot.refuse("expected a model id or an object with an id")),
    };
    let id = id.text(1, ID_CHARACTERS_MAX)?;
    // A model that is not listed is configured all the same: providers serve more than we know.
    let known = catalog.find(&id);
    let default_effort = known
        .and_then(|model| model.effort_default)
        .unwrap_or(Effort::High);
    let effort = match (rule, effort) {
        (EffortRule::AlwaysDefault, _) => default_effort,
        (_, Some(effort)) => effort,
        (EffortRule::Keep(stored), None) if stored.id == id => stored.effort,
        (EffortRule::Keep(_) | EffortRule::Default, None) => default_effort,
    };
    let speed = match speed.map(|spot| spot.one_of(&SPEEDS)).transpose()? {
        Some("fast") if !known.is_some_and(|model| model.has_fast) => {
            let message = format!("the model {} has no speed \"fast\"", quoted(&id));
            return Err(Invalid::at(format!("{path}.speed"), message));
        }
        Some("fast") => Speed::Fast,
        _ => Speed::Standard,
    };
    let inference_geo = inference_geo.map(|spot| spot.one_of(&GEOS)).transpose()?;
    Ok(ModelConfig {
        id,
        effort,
        speed,
        inference_geo: inference_geo.map(str::to_owned),
    })
}

/// Reads `"high"` or `{"type": "high"}`.
fn read_effort(field: Field) -> Result<Option<Effort>, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(None);
    };
    let choices = Effort::ALL.map(Effort::as_str);
    let name = match &spot.value {
        Value::Object(_) => spot.bare_tag(&choices)?,
        _ => spot.one_of(&choices)?,
    };
    Ok(Effort::parse(name))
}

/// Writes an effort as the wire's object `{"type": "high"}`.
mod tagged_effort {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::catalog::Effort;

    #[derive(Serialize, Deserialize)]
    struct Tagged {
        #[serde(rename = "type")]
        effort: Effort,
    }

    pub(super) fn serialize<S: Serializer>(effort: &Effort, to: S) -> Result<S::Ok, S::Error> {
        Tagged { effort: *effort }.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Effort, D::Error> {
        Tagged::deserialize(from).map(|tagged| tagged.effort)
    }
}
