//! df: shows how much of the disk is used. A hand has one disk, mounted at `/`.

use std::io::{self, Write};
use std::path::Path;

use crate::disk::{self, Disk};
use crate::quoting;
use crate::report::{self, complain, reason, usage};
use crate::size::Unit;
use gnu_options::named::{self, Item, Order};

const SPECIFICATION: &str = "a/all B/block-size= h/human-readable H/si i/inodes k l/local m no-sync output=? \
    P/portability sync total t/type= T/print-type x/exclude-type= v";
const SOURCE: &str = "overlay";
const FIELDS: &[&str] = &[
    "source", "fstype", "itotal", "iused", "iavail", "ipcent", "size", "used", "avail", "pcent",
    "file", "target",
];

/// Runs the command.
pub(crate) fn run(program: &str, arguments: &[String]) -> u8 {
    let items = match named::parse(arguments, SPECIFICATION, Order::Any) {
        Ok(items) => items,
        Err(message) => return usage(program, message, 1),
    };
    let (mut unit, mut unit_name) = (Unit::KIBIBYTES, "1K-blocks".to_owned());
    let (mut shows_inodes, mut is_portable, mut shows_type, mut has_total) =
        (false, false, false, false);
    let mut chosen: Option<Vec<String>> = None;
    let mut operands = Vec::new();
    for item in items {
        let (name, value) = match item {
            Item::Operand(operand) => {
                operands.push(operand);
                continue;
            }
            Item::Option(name, value) => (name, value),
        };
        match name {
            "help" => return report::help(HELP),
            "version" => return report::version(program),
            "block-size" => {
                let text = value.unwrap_or_default();
                match Unit::parse(&text) {
                    Some(found) => (unit, unit_name) = (found, format!("{}-blocks", short(found))),
                    None => {
                        return usage(
                            program,
                            format_args!("invalid -B argument {}", quoting::quoted(&text)),
                            1,
                        );
                    }
                }
            }
            "human-readable" => (unit, unit_name) = (Unit::Human { base: 1024 }, "Size".to_owned()),
            "si" => (unit, unit_name) = (Unit::Human { base: 1000 }, "Size".to_owned()),
            "inodes" => shows_inodes = true,
            "k" => (unit, unit_name) = (Unit::KIBIBYTES, "1K-blocks".to_owned()),
            "m" => {
                (unit, unit_name) = (
                    Unit::Blocks {
                        bytes: 1 << 20,
                        suffix: "",
                    },
                    "1M-blocks".to_owned(),
                )
            }
            "output" => {
                let list = value.unwrap_or_else(|| FIELDS.join(","));
                let fields: Vec<String> = list.split(',').map(str::to_owned).collect();
                if let Some(unknown) = fields
                    .iter()
                    .find(|field| !FIELDS.contains(&field.as_str()))
                {
                    return usage(
                        program,
                        format_args!("option --output: field {} unknown", quoting::curly(unknown)),
                        1,
                    );
                }
                chosen = Some(fields);
            }
            "portability" => is_portable = true,
            "total" => has_total = true,
            "print-type" => shows_type = true,
            _ => {}
        }
    }
    if is_portable && unit_name == "1K-blocks" {
        unit_name = "1024-blocks".to_owned();
    }
    let is_chosen = chosen.is_some();
    let fields = chosen.unwrap_or_else(|| {
        let type_field: &[&str] = if shows_type { &["fstype"] } else { &[] };
        let numbers: &[&str] = if shows_inodes {
            &["itotal", "iused", "iavail", "ipcent"]
        } else {
            &["size", "used", "avail", "pcent"]
        };
        [&["source"], type_field, numbers, &["target"]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    });
    let is_short = is_chosen || (matches!(unit, Unit::Human { .. }) && !is_portable);
    let mut rows = vec![
        fields
            .iter()
            .map(|field| header(field, &unit_name, is_short, is_portable))
            .collect::<Vec<_>>(),
    ];
    let mut status = 0;
    let places = if operands.is_empty() {
        vec!["-".to_owned()]
    } else {
        operands
    };
    for place in &places {
        let path = if place == "-" { "/" } else { place };
        match disk::of(Path::new(path)) {
            Ok(disk) => {
                let file = if place == "-" { "-" } else { place };
                rows.push(
                    fields
                        .iter()
                        .map(|field| value_of(field, &disk, unit, file, SOURCE, "/"))
                        .collect(),
                );
                if has_total && Some(place) == places.last() {
                    rows.push(
                        fields
                            .iter()
                            .map(|field| value_of(field, &disk, unit, "-", "total", "-"))
                            .collect(),
                    );
                }
            }
            Err(error) => {
                complain(
                    program,
                    format_args!("{}: {}", quoting::shell(place), reason(&error)),
                );
                status = 1;
            }
        }
    }
    if rows.len() < 2 {
        return status;
    }
    let written = print(&rows, &fields);
    report::finish(program, written).max(status)
}

fn print(rows: &[Vec<String>], fields: &[String]) -> io::Result<()> {
    let least = |field: &str| {
        if field == "source" {
            14
        } else if matches!(field, "size" | "used" | "avail") {
            5
        } else {
            0
        }
    };
    let widths: Vec<usize> = fields
        .iter()
        .enumerate()
        .map(|(column, field)| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(String::len)
                .max()
                .unwrap_or(0)
                .max(least(field))
        })
        .collect();
    let mut out = io::stdout().lock();
    for row in rows {
        let cells = row.iter().zip(&widths).zip(fields).enumerate();
        let line: Vec<String> = cells
            .map(|(column, ((cell, width), field))| match field.as_str() {
                "source" | "fstype" | "file" | "target" if column + 1 == fields.len() => {
                    cell.clone()
                }
                "source" | "fstype" | "file" | "target" => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        writeln!(out, "{}", line.join(" "))?;
    }
    Ok(())
}

fn short(unit: Unit) -> String {
    match unit {
        Unit::Blocks { bytes, suffix: "" } => match bytes {
            1 => "1B".to_owned(),
            bytes if bytes % (1 << 30) == 0 => format!("{}G", bytes >> 30),
            bytes if bytes % (1 << 20) == 0 => format!("{}M", bytes >> 20),
            bytes if bytes % (1 << 10) == 0 => format!("{}K", bytes >> 10),
            bytes => bytes.to_string(),
        },
        Unit::Blocks { suffix, .. } => format!("1{suffix}"),
        Unit::Human { .. } => "1K".to_owned(),
    }
}

fn header(field: &str, unit: &str, is_short: bool, is_portable: bool) -> String {
    match field {
        "source" => "Filesystem",
        "fstype" => "Type",
        "itotal" => "Inodes",
        "iused" => "IUsed",
        "iavail" => "IFree",
        "ipcent" => "IUse%",
        "size" => unit,
        "used" => "Used",
        "avail" if is_short => "Avail",
        "avail" => "Available",
        "pcent" if is_portable => "Capacity",
        "pcent" => "Use%",
        "file" => "File",
        _ => "Mounted on",
    }
    .to_owned()
}

fn value_of(
    field: &str,
    disk: &Disk,
    unit: Unit,
    file: &str,
    source: &str,
    target: &str,
) -> String {
    let bytes = |blocks: u64| unit.show(blocks * disk.block_size);
    let count = |files: u64| {
        if let Unit::Human { .. } = unit {
            unit.show(files)
        } else {
            files.to_string()
        }
    };
    let percent = |used: u64, free: u64| match used + free {
        0 => "-".to_owned(),
        all => format!("{}%", (used * 100).div_ceil(all)),
    };
    match field {
        "source" => source.to_owned(),
        "fstype" => if source == "total" { "-" } else { "overlay" }.to_owned(),
        "itotal" => count(disk.files),
        "iused" => count(disk.files - disk.files_free),
        "iavail" => count(disk.files_free),
        "ipcent" => percent(disk.files - disk.files_free, disk.files_free),
        "size" => bytes(disk.blocks),
        "used" => bytes(disk.blocks - disk.free),
        "avail" => bytes(disk.available),
        "pcent" => percent(disk.blocks - disk.free, disk.available),
        "file" => file.to_owned(),
        _ => target.to_owned(),
    }
}

const HELP: &str = "\
Usage: df [OPTION]... [FILE]...
Show information about the file system on which each FILE resides.

  -a, --all; -B, --block-size=SIZE; -h, --human-readable; -H, --si; -i, --inodes; -k; -m
      --output[=FIELD_LIST]; -P, --portability; --total; -T, --print-type
";
