//! A session's events for people in a terminal, or as JSON lines for programs.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};

use crate::json::Fields as _;

use jiff::Timestamp;
use serde_json::Value;

/// Characters of a tool's input or result that one line shows.
const LINE_CHARS_MAX: usize = 160;
/// Characters of a line that is written over again and again; one that wraps could not be.
const LIVE_CHARS_MAX: usize = 76;
/// Lines of a tool's result that are shown.
const RESULT_LINES_MAX: usize = 6;

/// How events are shown.
pub(super) struct Renderer {
    is_json: bool,
    has_color: bool,
    /// Start times of open tool calls, by event id.
    calls: HashMap<String, (String, Option<Timestamp>)>,
    /// The message whose text was shown as it came.
    shown_live: Option<String>,
    /// What the call that runs has written.
    output: LiveOutput,
    at_line_start: bool,
    usage: Option<Value>,
}

/// What a call has written so far, as far as it is shown.
#[derive(Default)]
struct LiveOutput {
    call: String,
    /// The line that has not ended yet.
    begun: String,
    lines: usize,
    /// The line that the terminal's cursor is in is to be written over.
    is_in_place: bool,
}

impl Renderer {
    pub(super) fn new(is_json: bool) -> Self {
        Self {
            is_json,
            has_color: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            calls: HashMap::new(),
            shown_live: None,
            output: LiveOutput::default(),
            at_line_start: true,
            usage: None,
        }
    }

    /// Shows one event or preview.
    pub(super) fn show(&mut self, event: &Value) {
        if self.is_json {
            say!("{event}");
            return;
        }
        match event.at("type").as_str().unwrap_or_default() {
            "user.message" if event.at("processed_at").is_string() => {
                let text = texts(event.at("content"));
                self.line(&self.paint("36", &format!("you   {}", clip(&text, 2_000))));
            }
            "user.interrupt" if event.at("processed_at").is_string() => {
                self.line(&self.paint("33", "you   (interrupt)"));
            }
            "event_start" if event.at("event").at("type") == "agent.thinking" => {
                self.line(&self.paint("2", "agent thinks..."));
            }
            "event_delta" => self.delta(event),
            "agent.message" => self.message(event),
            "agent.tool_use" | "agent.mcp_tool_use" | "agent.custom_tool_use" => self.tool(event),
            "agent.tool_result" | "agent.mcp_tool_result" => self.result(event),
            "sinew.tool_output" => self.tool_output(event),
            "user.define_outcome" => {
                let text = clip(
                    &plain(event.at("description").as_str().unwrap_or_default()),
                    2_000,
                );
                self.line(&self.paint("36", &format!("you   outcome: {text}")));
            }
            "span.outcome_evaluation_start" => {
                self.line(&self.paint("2", "the work is evaluated..."))
            }
            "span.outcome_evaluation_end" => {
                let word = |name: &str| plain(event.at(name).as_str().unwrap_or_default());
                let text = clip(&word("explanation"), 2_000).replace('\n', "\n      ");
                self.line(&self.paint("35", &format!("outcome {}: {text}", word("result"))));
            }
            "session.thread_created" => {
                let name = plain(event.at("agent_name").as_str().unwrap_or_default());
                let thread = plain(event.at("session_thread_id").as_str().unwrap_or_default());
                self.line(&self.paint("35", &format!("agent {name} starts ({thread})")));
            }
            "agent.thread_message_sent" => self.thread_message(event, "to", "to_agent_name"),
            "agent.thread_message_received" => {
                self.thread_message(event, "from", "from_agent_name")
            }
            "agent.thread_context_compacted" => {
                self.line(&self.paint("2", "(the conversation was summarised to fit the context)"));
            }
            "session.error" => {
                let error = &event.at("error");
                let text = format!(
                    "error {}: {} ({})",
                    error.at("type").as_str().unwrap_or_default(),
                    error.at("message").as_str().unwrap_or_default(),
                    error
                        .at("retry_status")
                        .at("type")
                        .as_str()
                        .unwrap_or_default(),
                );
                self.line(&self.paint("31", &plain(&text)));
            }
            "session.usage" => self.usage = Some(event.at("usage").clone()),
            "session.status_idle" => self.idle(event),
            "session.status_terminated" => self.line("the session has ended"),
            _ => {}
        }
    }

    fn delta(&mut self, event: &Value) {
        let id = event.at("event_id").as_str().unwrap_or_default();
        if self.shown_live.as_deref() != Some(id) {
            self.shown_live = Some(id.to_owned());
            self.line_start();
            say_part!("agent ");
        }
        let text = event
            .at("delta")
            .at("content")
            .at("text")
            .as_str()
            .unwrap_or_default();
        say_part!("{}", plain(text).replace('\n', "\n      "));
        let _ = std::io::stdout().flush();
        self.at_line_start = false;
    }

    /// A message between two agents.
    fn thread_message(&mut self, event: &Value, way: &str, name: &str) {
        let other = plain(event.at(name).as_str().unwrap_or("the coordinator"));
        let text = clip(&texts(event.at("content")), 2_000).replace('\n', "\n      ");
        self.line(&self.paint("35", &format!("  {way} {other}: {text}")));
    }

    fn message(&mut self, event: &Value) {
        if self.shown_live.as_deref() == event.at("id").as_str() {
            self.line_start();
            return;
        }
        let text = texts(event.at("content")).replace('\n', "\n      ");
        self.line(&format!("agent {text}"));
    }

    fn tool(&mut self, event: &Value) {
        let name = plain(event.at("name").as_str().unwrap_or_default());
        let input = clip(&event.at("input").to_string(), LINE_CHARS_MAX);
        let asks = match event.at("evaluated_permission").as_str() {
            Some("ask") => "  (asks for permission)",
            Some("deny") => "  (denied)",
            _ => "",
        };
        self.line(&format!("  {} {input}{asks}", self.paint("1", &name)));
        let id = event.at("id").as_str().unwrap_or_default().to_owned();
        self.calls.insert(id, (name, time(event)));
    }

    /// Shows the first lines of what a call writes; of the others, on a terminal, the last one in its place.
    fn tool_output(&mut self, event: &Value) {
        let id = event.at("tool_use_id").as_str().unwrap_or_default();
        if self.output.call != id {
            self.output = LiveOutput {
                call: id.to_owned(),
                ..LiveOutput::default()
            };
        }
        self.output
            .begun
            .push_str(event.at("text").as_str().unwrap_or_default());
        let mut last = None;
        while let Some((line, rest)) = self.output.begun.split_once('\n') {
            let (line, rest) = (clip(&plain(line), LINE_CHARS_MAX), rest.to_owned());
            self.output.begun = rest;
            self.output.lines += 1;
            if self.output.lines <= RESULT_LINES_MAX {
                self.line(&self.paint("2", &format!("    | {line}")));
            } else {
                last = Some(line);
            }
        }
        if let Some(line) = last
            && self.has_color
        {
            let more = self.output.lines - RESULT_LINES_MAX;
            let text = clip(&format!("    | {more} more lines: {line}"), LIVE_CHARS_MAX);
            say_part!("\r\u{1b}[K{}", self.paint("2", &text));
            let _ = std::io::stdout().flush();
            self.output.is_in_place = true;
        }
    }

    fn result(&mut self, event: &Value) {
        let shown = std::mem::take(&mut self.output);
        if shown.is_in_place {
            say_part!("\r\u{1b}[K");
        }
        let id = event
            .at("tool_use_id")
            .as_str()
            .or_else(|| event.at("mcp_tool_use_id").as_str())
            .unwrap_or_default();
        let started = self.calls.remove(id).and_then(|(_, at)| at);
        let took = match (started, time(event)) {
            (Some(from), Some(to)) => {
                let micros = to.as_microsecond().saturating_sub(from.as_microsecond());
                format!("{:.1} ms", micros.max(0) as f64 / 1_000.0)
            }
            _ => String::new(),
        };
        let outcome = if event.at("is_error") == true {
            self.paint("31", "failed")
        } else {
            self.paint("32", "ok")
        };
        self.line(&format!("    {outcome} {}", self.paint("2", &took)));
        let text = texts(event.at("content"));
        let mut lines = text.lines();
        let shown = if shown.call == id { shown.lines } else { 0 };
        let new = RESULT_LINES_MAX.saturating_sub(shown);
        for line in lines.by_ref().skip(shown.min(RESULT_LINES_MAX)).take(new) {
            self.line(&self.paint("2", &format!("    | {}", clip(line, LINE_CHARS_MAX))));
        }
        let rest = lines.count();
        if rest > 0 {
            self.line(&self.paint("2", &format!("    | ... {rest} more lines")));
        }
    }

    fn idle(&mut self, event: &Value) {
        let reason = event
            .at("stop_reason")
            .at("type")
            .as_str()
            .unwrap_or_default();
        if reason != "end_turn" {
            self.line(&self.paint("33", &format!("stopped: {reason}")));
        }
        if let Some(usage) = &self.usage {
            let cents: u64 = usage
                .at("list_cost")
                .at("amount")
                .as_str()
                .and_then(|cents| cents.parse().ok())
                .unwrap_or(0);
            let text = format!(
                "cost so far ${}.{:02}: {} input, {} cached, {} output tokens, {} s at work",
                cents / 100,
                cents % 100,
                usage.at("input_tokens"),
                usage.at("cache_read_input_tokens"),
                usage.at("output_tokens"),
                usage.at("active_seconds"),
            );
            self.line(&self.paint("2", &text));
        }
    }

    /// Prints a line for people; nothing in JSON mode.
    pub(super) fn say(&mut self, text: &str) {
        if !self.is_json {
            self.line(text);
        }
    }

    fn line(&mut self, text: &str) {
        self.line_start();
        say!("{text}");
    }

    fn line_start(&mut self) {
        if !self.at_line_start {
            say!();
            self.at_line_start = true;
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.has_color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn time(event: &Value) -> Option<Timestamp> {
    event.at("processed_at").as_str()?.parse().ok()
}

/// Returns the text of content blocks; other blocks by their type. Control characters that could drive
/// the terminal are dropped.
pub(super) fn texts(content: &Value) -> String {
    let parts: Vec<String> = content
        .as_array()
        .into_iter()
        .flatten()
        .map(|block| match block.at("text").as_str() {
            Some(text) => plain(text),
            None => format!("[{}]", block.at("type").as_str().unwrap_or_default()),
        })
        .collect();
    parts.join("\n")
}

/// Returns text without the control characters that could drive the terminal: it may come from anywhere.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

fn clip(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
