//! The principal that an agent's runs are made as.

use serde_json::{Value, json};

use crate::api::body::{Field, Invalid};

/// Longest role ARN in characters.
const ARN_CHARACTERS_MAX: usize = 2_048;

/// Reads `execution_identity`; absent and null are the default.
pub(super) fn read(field: Field) -> Result<Value, Invalid> {
    let Some(spot) = field.given() else {
        return Ok(default());
    };
    let (tag, mut fields) = spot.tagged()?;
    let identity = match tag.one_of(&["service_account", "aws_role"])? {
        "aws_role" => {
            let spot = fields.required("role_arn")?;
            let path = spot.path.clone();
            let arn = spot.text(1, ARN_CHARACTERS_MAX)?;
            if !(arn.starts_with("arn:") && arn.contains(":iam::") && arn.contains(":role/")) {
                return Err(Invalid::at(path, "expected the ARN of an IAM role"));
            }
            json!({ "type": "aws_role", "role_arn": arn })
        }
        _ => default(),
    };
    fields.finish()?;
    Ok(identity)
}

fn default() -> Value {
    json!({ "type": "service_account" })
}
