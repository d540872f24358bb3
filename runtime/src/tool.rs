//! The two kinds of tools: exported functions, and those that a component names when it is asked.

use serde_json::Value;
use wasmtime::component::Val;

use crate::call::{Request, inconsistent, refusal};
use crate::component::{Function, LoadedComponent};
use crate::hand::ToolDefinition;
use crate::limits::{Limit, Limits};
use crate::outcome::Outcome;
use crate::typed::{Content, NAME_BYTES_MAX, OutputError, json_to_params, results_to_output};

/// Tools that one component may name when it is asked.
const DYNAMIC_TOOLS_MAX: usize = 256;

/// Longest description of such a tool, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 4 << 10;

/// Longest JSON Schema of such a tool, in bytes.
const SCHEMA_BYTES_MAX: usize = 64 << 10;

/// A call of an exported function, by its place in the component's tool list.
pub(crate) struct TypedCall {
    pub(crate) tool: usize,
    pub(crate) input: Value,
}

impl Request for TypedCall {
    type Answer = Outcome;

    fn params<'a>(
        &self,
        component: &'a LoadedComponent,
    ) -> Result<(&'a Function, Vec<Val>), Outcome> {
        let (_, function) = component
            .tool(self.tool)
            .ok_or_else(|| inconsistent("a tool has no function"))?;
        let params = json_to_params(&function.ty, &self.input)
            .map_err(|error| refusal(error.to_string()))?;
        Ok((function, params))
    }

    fn answer(
        self,
        component: &LoadedComponent,
        limits: &Limits,
        results: Vec<Val>,
    ) -> Result<Outcome, Outcome> {
        let (spec, function) = component
            .tool(self.tool)
            .ok_or_else(|| inconsistent("a tool has no function"))?;
        let output =
            results_to_output(&function.ty, spec.output, &results).map_err(
                |error| match error {
                    OutputError::TooLarge { .. } => Outcome::LimitHit(Limit::OutputBytes),
                    OutputError::MediaType => Outcome::Trapped {
                        message: error.to_string(),
                    },
                    OutputError::Unfit { .. } | OutputError::Unsupported { .. } => {
                        inconsistent(&error.to_string())
                    }
                },
            )?;
        bounded(output.content, output.is_error, limits)
    }
}

/// A call of a tool that the component named.
pub(crate) struct DynamicCall {
    pub(crate) name: String,
    pub(crate) input: Value,
}

impl Request for DynamicCall {
    type Answer = Outcome;

    fn params<'a>(
        &self,
        component: &'a LoadedComponent,
    ) -> Result<(&'a Function, Vec<Val>), Outcome> {
        let dynamic = component
            .dynamic()
            .ok_or_else(|| inconsistent("a component no longer names its tools"))?;
        if !self.input.is_object() {
            return Err(refusal("the input must be a JSON object".to_owned()));
        }
        let params = vec![
            Val::String(self.name.clone()),
            Val::String(self.input.to_string()),
        ];
        Ok((&dynamic.execute, params))
    }

    fn answer(
        self,
        _: &LoadedComponent,
        limits: &Limits,
        results: Vec<Val>,
    ) -> Result<Outcome, Outcome> {
        let (text, is_error) = match results.into_iter().next() {
            Some(Val::Result(Ok(Some(value)))) => match *value {
                Val::String(text) => (text, false),
                _ => return Err(unlike_its_contract()),
            },
            Some(Val::Result(Err(Some(error)))) => match *error {
                Val::Variant(case, None) if case == "unknown-tool" => {
                    (format!("there is no tool {:?}", self.name), true)
                }
                Val::Variant(_, Some(reason)) => match *reason {
                    Val::String(reason) => (reason, true),
                    _ => return Err(unlike_its_contract()),
                },
                _ => return Err(unlike_its_contract()),
            },
            _ => return Err(unlike_its_contract()),
        };
        bounded(vec![Content::Text(text)], is_error, limits)
    }
}

/// The question which tools a component has.
pub(crate) struct ListTools;

impl Request for ListTools {
    type Answer = Vec<ToolDefinition>;

    fn params<'a>(
        &self,
        component: &'a LoadedComponent,
    ) -> Result<(&'a Function, Vec<Val>), Outcome> {
        let dynamic = component
            .dynamic()
            .ok_or_else(|| inconsistent("a component no longer names its tools"))?;
        Ok((&dynamic.list, Vec::new()))
    }

    fn answer(
        self,
        _: &LoadedComponent,
        _: &Limits,
        results: Vec<Val>,
    ) -> Result<Vec<ToolDefinition>, Outcome> {
        let Some(Val::List(tools)) = results.into_iter().next() else {
            return Err(unlike_its_contract());
        };
        if tools.len() > DYNAMIC_TOOLS_MAX {
            return Err(refusal(format!(
                "the component names {} tools; at most {DYNAMIC_TOOLS_MAX} are allowed",
                tools.len()
            )));
        }
        tools.iter().map(read_definition).collect()
    }
}

fn read_definition(value: &Val) -> Result<ToolDefinition, Outcome> {
    let Val::Record(fields) = value else {
        return Err(unlike_its_contract());
    };
    let field = |wanted: &str| {
        fields.iter().find_map(|(name, value)| match value {
            Val::String(text) if name == wanted => Some(text.as_str()),
            _ => None,
        })
    };
    let (Some(name), Some(description), Some(schema)) =
        (field("name"), field("description"), field("input-schema"))
    else {
        return Err(unlike_its_contract());
    };
    let input_schema = (schema.len() <= SCHEMA_BYTES_MAX)
        .then(|| serde_json::from_str::<Value>(schema).ok())
        .flatten()
        .filter(Value::is_object)
        .ok_or_else(|| {
            refusal(format!(
                "the schema of the tool {:?} is not a JSON object of at most {SCHEMA_BYTES_MAX} bytes",
                start(name, NAME_BYTES_MAX)
            ))
        })?;
    let visible = |c: &char| !c.is_control() || *c == '\n';
    Ok(ToolDefinition {
        name: name.to_owned(),
        description: start(description, DESCRIPTION_BYTES_MAX)
            .chars()
            .filter(visible)
            .collect(),
        input_schema,
    })
}

fn bounded(content: Vec<Content>, is_error: bool, limits: &Limits) -> Result<Outcome, Outcome> {
    if content_bytes(&content) > limits.output_bytes {
        Err(Outcome::LimitHit(Limit::OutputBytes))
    } else if is_error {
        Ok(Outcome::ToolError(content))
    } else {
        Ok(Outcome::Result(content))
    }
}

fn content_bytes(content: &[Content]) -> u64 {
    let bytes = content.iter().map(|block| match block {
        Content::Text(text) => text.len(),
        Content::Image { media_type, data } | Content::Document { media_type, data } => {
            media_type.len() + data.len()
        }
    });
    bytes.sum::<usize>() as u64
}

fn start(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max))
        .unwrap_or_default()
}

/// The component exports an interface of the right name with other functions in it.
fn unlike_its_contract() -> Outcome {
    Outcome::Trapped {
        message: "the component's tools do not follow sinew:tool/dynamic".to_owned(),
    }
}
