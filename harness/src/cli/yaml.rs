//! Agents and environments from YAML files: the API's own fields.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Reads a YAML (or JSON) file that holds one object; `-` is standard input.
pub(super) fn read_object(path: &Path) -> Result<Value> {
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?
    } else {
        let size = std::fs::metadata(path)
            .with_context(|| format!("cannot read {}", path.display()))?
            .len();
        if size > FILE_BYTES_MAX {
            bail!(
                "{} has {size} bytes; at most {FILE_BYTES_MAX} are read",
                path.display()
            );
        }
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
    };
    let value: Value = serde_saphyr::from_str(&text)
        .with_context(|| format!("{} is not valid YAML", path.display()))?;
    if !value.is_object() {
        bail!(
            "{} must hold an object of fields, e.g. \"name: ...\"",
            path.display()
        );
    }
    Ok(value)
}
