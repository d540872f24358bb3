//! Names of backups, and the copies themselves.

use std::io;
use std::path::Path;

use super::options::Request;

/// Returns the name of the backup of a file.
pub(super) fn name(request: &Request, file: &str) -> String {
    let style = request.numbered.as_deref().unwrap_or("existing");
    let numbered = match style {
        "t" | "numbered" => true,
        "never" | "simple" => false,
        _ => last_number(file) > 0,
    };
    let is_named =
        !request.prefix.is_empty() || !request.base_prefix.is_empty() || !request.suffix.is_empty();
    if numbered && !is_named {
        return format!("{file}.~{}~", last_number(file) + 1);
    }
    let (folder, base) = match file.rfind('/') {
        Some(place) => file.split_at(place + 1),
        None => ("", file),
    };
    let suffix = if is_named {
        request.suffix.clone()
    } else {
        std::env::var("SIMPLE_BACKUP_SUFFIX").unwrap_or_else(|_| ".orig".to_owned())
    };
    format!(
        "{}{folder}{}{base}{suffix}",
        request.prefix, request.base_prefix
    )
}

/// Returns the highest number among the backups of a file.
fn last_number(file: &str) -> u64 {
    let (folder, base) = file.rsplit_once('/').unwrap_or((".", file));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let numbers = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let middle = name
            .strip_prefix(base)?
            .strip_prefix(".~")?
            .strip_suffix('~')?;
        middle.parse().ok()
    });
    numbers.max().unwrap_or(0)
}

/// Copies a file to its backup; of a file that is not there, the backup is empty.
pub(super) fn make(file: &str, backup: &str) -> io::Result<()> {
    if let Some(folder) = Path::new(backup).parent()
        && !folder.as_os_str().is_empty()
    {
        std::fs::create_dir_all(folder)?;
    }
    match process::stat(file, false) {
        Ok(stat) => {
            std::fs::write(backup, std::fs::read(file)?)?;
            process::chmod(backup, stat.mode)?;
        }
        Err(process::Errno::NoEntry) => {
            std::fs::write(backup, b"")?;
            process::chmod(backup, 0)?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
