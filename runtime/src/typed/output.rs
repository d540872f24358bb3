//! What a function returned, as a model sees it.
//!
//! A `result` of the function itself splits into success and failure; strings come out bare, not
//! quoted as JSON; content blocks come out as they are; everything else is JSON text.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use wasmtime::component::Val;
use wasmtime::component::types::{ComponentFunc, Type};

use super::content::{Content, read_blocks};
use super::val_to_json::val_to_json;

/// How the result of a tool is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// How a successful result is shown.
    pub ok: Shown,
    /// How a failure is shown; none if the function does not return a `result`.
    pub error: Option<Shown>,
}

/// The form in which a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// There is no value.
    Nothing,
    /// A string, bare.
    Text,
    /// A list of content blocks.
    Content,
    /// Any other value, as JSON text.
    Json,
}

/// The answer of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOutput {
    /// Whether the tool said no: the function returned the error side of its `result`.
    pub is_error: bool,
    /// What to show; empty where there is no value.
    pub content: Vec<Content>,
}

/// Why a returned value cannot be shown. The guest cannot cause the first two in a function whose
/// [`Output`] came from the same component.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum OutputError {
    /// The value is not of the function's type.
    #[error("the tool returned something other than {expected}")]
    Unfit {
        /// What the type calls for.
        expected: &'static str,
    },
    /// The type has no JSON form.
    #[error("the tool returned a {what}, which JSON cannot carry")]
    Unsupported {
        /// The kind of type.
        what: &'static str,
    },
    /// The value has too many parts.
    #[error("the tool returned more than {max} values")]
    TooLarge {
        /// How many are allowed.
        max: usize,
    },
    /// A content block has a media type that is none.
    #[error("the tool returned a content block with an invalid media type")]
    MediaType,
}

/// Returns what a call's results show, by the function's type and the way its tool shows them.
///
/// # Errors
///
/// Fails if the results do not fit the type, are too large, or hold an invalid content block.
pub fn results_to_output(
    function: &ComponentFunc,
    output: Output,
    results: &[Val],
) -> Result<ToolOutput, OutputError> {
    let ty = function.results().next();
    let Some(error) = output.error else {
        let content = shown(output.ok, ty.as_ref(), results.first())?;
        return Ok(ToolOutput {
            is_error: false,
            content,
        });
    };
    let (Some(Type::Result(ty)), Some(Val::Result(value))) = (ty, results.first()) else {
        return Err(OutputError::Unfit {
            expected: "a result",
        });
    };
    let (is_error, content) = match value {
        Ok(value) => (false, shown(output.ok, ty.ok().as_ref(), value.as_deref())?),
        Err(value) => (true, shown(error, ty.err().as_ref(), value.as_deref())?),
    };
    Ok(ToolOutput { is_error, content })
}

fn shown(form: Shown, ty: Option<&Type>, value: Option<&Val>) -> Result<Vec<Content>, OutputError> {
    match (form, ty, value) {
        (Shown::Nothing, None, None) => Ok(Vec::new()),
        (Shown::Text, Some(Type::String), Some(Val::String(text))) => {
            Ok(vec![Content::Text(text.clone())])
        }
        (Shown::Content, Some(_), Some(value)) => read_blocks(value),
        (Shown::Json, Some(ty), Some(value)) => {
            Ok(vec![Content::Text(val_to_json(ty, value)?.to_string())])
        }
        _ => Err(OutputError::Unfit {
            expected: "what its type says",
        }),
    }
}
