//! What the numbers were measured on.

use std::fs;

use serde_json::{Value, json};

/// Returns the number of processors, the kernel's release and the load before the bench.
pub fn describe() -> Value {
    let read = |path| {
        fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let model = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": model,
        "kernel": read("/proc/sys/kernel/osrelease"),
        "load": load(),
    })
}

/// Returns the machine's load over the last minute; what else it does slows every subject down.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}
