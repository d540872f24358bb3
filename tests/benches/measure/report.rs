//! The result, as tables for people or as JSON.

use serde_json::{Value, json};

use super::{Options, Samples, machine};

/// One subject's times.
pub struct Subject {
    name: String,
    samples: Samples,
    /// Units of work per second, where several workers make latency and throughput differ.
    per_second: Option<f64>,
}

impl Subject {
    /// Returns a subject without a rate.
    pub fn new(name: impl Into<String>, samples: Samples) -> Self {
        Self {
            name: name.into(),
            samples,
            per_second: None,
        }
    }

    /// Adds a rate.
    pub fn per_second(mut self, rate: f64) -> Self {
        self.per_second = Some(rate);
        self
    }
}

/// Subjects that did the same work; the last is the baseline.
pub struct Group {
    title: String,
    subjects: Vec<Subject>,
}

impl Group {
    /// Returns a group.
    pub fn new(title: impl Into<String>, subjects: Vec<Subject>) -> Self {
        Self {
            title: title.into(),
            subjects,
        }
    }

    fn ratio(&self, subject: &Subject) -> Option<f64> {
        subject.samples.ratio(&self.subjects.last()?.samples)
    }

    fn json(&self) -> Value {
        let subjects: Vec<Value> = self
            .subjects
            .iter()
            .map(|subject| {
                json!({
                    "name": subject.name,
                    "count": subject.samples.count(),
                    "p50_ns": subject.samples.percentile(50),
                    "p99_ns": subject.samples.percentile(99),
                    "per_second": subject.per_second,
                    "ratio": self.ratio(subject),
                })
            })
            .collect();
        json!({"title": self.title, "subjects": subjects})
    }

    fn print(&self) {
        let longest = self
            .subjects
            .iter()
            .map(|subject| subject.name.chars().count());
        let width = longest.max().unwrap_or(0);
        println!("\n{}", self.title);
        println!(
            "  {:width$}  {:>10}  {:>10}  {:>7}  {:>8}  {:>6}",
            "", "p50", "p99", "ratio", "per s", "n"
        );
        for subject in &self.subjects {
            let ratio = self.ratio(subject);
            println!(
                "  {:width$}  {:>10}  {:>10}  {:>7}  {:>8}  {:>6}",
                subject.name,
                shown(subject.samples.percentile(50)),
                shown(subject.samples.percentile(99)),
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
                subject
                    .per_second
                    .map_or_else(String::new, |rate| format!("{rate:.0}")),
                subject.samples.count(),
            );
        }
    }
}

/// All groups of one bench.
pub struct Report {
    bench: &'static str,
    machine: Value,
    groups: Vec<Group>,
    notes: Vec<String>,
}

impl Report {
    /// Begins the report of the bench target `bench`.
    pub fn new(bench: &'static str) -> Self {
        Self {
            bench,
            machine: machine::describe(),
            groups: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a group.
    pub fn add(&mut self, group: Group) {
        self.groups.push(group);
    }

    /// Adds a sentence that a reader of the numbers needs.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Prints everything.
    pub fn print(&self, options: Options) {
        let command = format!("cargo bench -p sinew-tests --bench {}", self.bench);
        let load_after = machine::load();
        if options.json {
            let groups: Vec<Value> = self.groups.iter().map(Group::json).collect();
            let report = json!({
                "bench": self.bench,
                "command": command,
                "quick": options.quick,
                "machine": self.machine,
                "load_after": load_after,
                "groups": groups,
                "notes": self.notes,
            });
            println!("{report:#}");
            return;
        }
        let text = |name: &str| match &self.machine[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        println!("{}: {command}", self.bench);
        println!(
            "{} cores, {}, Linux {}, load {} before and {load_after} after{}",
            text("cores"),
            text("processor"),
            text("kernel"),
            text("load"),
            if options.quick { ", quick" } else { "" },
        );
        println!("ratio: to the last row of its table, the median over interleaved rounds");
        self.groups.iter().for_each(Group::print);
        println!();
        for note in &self.notes {
            println!("- {note}");
        }
    }
}

fn shown(nanos: u64) -> String {
    let nanos = nanos as f64;
    match nanos {
        0.0..1e3 => format!("{nanos:.0} ns"),
        1e3..1e6 => format!("{:.1} us", nanos / 1e3),
        1e6..1e9 => format!("{:.2} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}
