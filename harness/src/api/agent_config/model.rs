//! The model of an agent: its id, and how hard, how fast and where it runs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::body::{Field, Invalid, Spot};
use crate::api::error::quoted;

/// Longest model id in characters.
const ID_CHARACTERS_MAX: usize = 256;
const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];
const SPEEDS: [&str; 2] = ["standard", "fast"];
const GEOS: [&str; 2] = ["us", "global"];

/// How hard a model works on each request. In JSON `{"type": "high"}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Effort {
    /// Least.
    Low,
    /// Less.
    Medium,
    /// What most models do unasked.
    High,
    /// More.
    Xhigh,
    /// Most.
    Max,
}

impl Effort {
    /// Returns the level's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Xhigh => "xhigh",
            Effort::Max => "max",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "low" => Effort::Low,
            "medium" => Effort::Medium,
            "xhigh" => Effort::Xhigh,
            "max" => Effort::Max,
            _ => Effort::High,
        }
    }
}

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
    /// How hard it works.
    pub effort: Effort,
    /// How fast it answers.
    pub speed: Speed,
    /// `us` or `global`; absent means wherever the workspace says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_geo: Option<String>,
}

/// What must be known of a model to configure an agent with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ModelFacts {
    /// The effort of an agent that names none.
    pub default_effort: Effort,
    /// Whether it knows the speed `fast`.
    pub has_fast: bool,
}

/// The models that agents may name.
pub trait ModelCatalog: Send + Sync + 'static {
    /// Returns what is known of a model; `None` refuses it.
    fn facts(&self, id: &str) -> Option<ModelFacts>;

    /// Returns every model to be listed, as wire objects (`ModelInfo`), in the order of the list.
    fn infos(&self) -> Vec<Value>;
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
    catalog: &dyn ModelCatalog,
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
    let id_path = id.path.clone();
    let id = id.text(1, ID_CHARACTERS_MAX)?;
    let Some(facts) = catalog.facts(&id) else {
        let message = format!("the model {} is not known to this server", quoted(&id));
        return Err(Invalid::at(id_path, message));
    };
    let effort = match (rule, effort) {
        (EffortRule::AlwaysDefault, _) => facts.default_effort,
        (_, Some(effort)) => effort,
        (EffortRule::Keep(stored), None) if stored.id == id => stored.effort,
        (EffortRule::Keep(_) | EffortRule::Default, None) => facts.default_effort,
    };
    let speed = match speed.map(|spot| spot.one_of(&SPEEDS)).transpose()? {
        Some("fast") if !facts.has_fast => {
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
    let name = match &spot.value {
        Value::Object(_) => spot.bare_tag(&EFFORTS)?,
        _ => spot.one_of(&EFFORTS)?,
    };
    Ok(Some(Effort::from_name(name)))
}
