//! What the model sees: a thread of a session as one request.

use std::sync::Arc;

use serde_json::{Value, json};

use super::component_tools;
use super::delegation;
use super::distil;
use super::supervise;
use super::toolset::{Known, Rights};
use crate::hands::SKILLS;
use crate::ids::ThreadId;
use crate::json::Fields as _;
use crate::model::ModelRequest;
use crate::session::{SKILLS_FIELD, State, Thread, Turn};
use crate::store::Hash;

/// Generated tokens that one answer may have.
const OUTPUT_TOKENS_MAX: u32 = 32_000;
/// Characters of one tool result or text that a summary request still shows.
const SUMMARY_BLOCK_CHARS_MAX: usize = 2_000;
/// Characters of the conversation that a summary request shows: its newest end.
const SUMMARY_CHARS_MAX: usize = 200_000;
/// Characters of each text of the newest input that are kept beside a summary.
const NEWEST_INPUT_CHARS_MAX: usize = 50_000;

const ENVIRONMENT: &str = "You work in a sandbox through tools. Your working directory is /workspace; \
relative paths start there. Files for the user to take away belong in /mnt/session/outputs. Files that the \
user gave you are in /mnt/session/uploads, which is read-only. /tmp is for scratch.";

/// What is known of the machine of a self-hosted session's worker.
const WORKERS_ENVIRONMENT: &str = "You work on a machine of the user's through tools. Relative paths start in your \
working directory there.";

/// Where the official workers put skills, each in a folder of its name: below their working directory.
const WORKERS_SKILLS: &str = "skills";

const SKILLS_INTRO: &str = "You have skills: folders of instructions and programs for particular kinds of \
work. When a task is of such a kind, read the skill's SKILL.md before you begin, and follow it; the paths in it \
are relative to its folder. Your skills:";

const SUMMARISE: &str = "You summarise the work of an AI agent so that it can go on without the \
conversation itself. State the user's goal and constraints in their own words, what was done and found (files, \
names, numbers, commands, results), decisions and their reasons, what failed, and what comes next. Leave out \
nothing that the next step needs. Answer with the summary alone.";

/// Returns the request that a thread makes in this state; `built_in` are the definitions of all built-in tools.
pub fn of(state: &State, thread: &Thread, built_in: &[Value], is_summary: bool) -> ModelRequest {
    if is_summary {
        return summary_request(state, thread);
    }
    let known = Known {
        built_in,
        mcp_lists: &state.mcp_lists,
        components: component_tools::kept(state),
    };
    let mut tools = supervise::definitions(state, thread);
    let is_taken = |tool: &Value| tools.iter().any(|own| own.at("name") == tool.at("name"));
    let others = Rights::of(state, thread).offered(known);
    let others: Vec<Value> = others.into_iter().filter(|tool| !is_taken(tool)).collect();
    tools.extend(others);
    tools.extend(delegation::definitions(state, thread, &tools));
    model_request(state, thread, tools)
}

/// Returns the digest of the request that a thread makes in this state; none of a thread that there is not.
pub fn request_digest(
    state: &State,
    thread_id: Option<&ThreadId>,
    built_in: &[Value],
    is_summary: bool,
) -> Option<Hash> {
    let thread = match thread_id {
        Some(id) => state.thread(id.as_str())?,
        None => state.primary(),
    };
    Some(digest(&of(state, thread, built_in, is_summary)))
}

/// Returns the request that answers the conversation so far. `tools` are the offered definitions.
pub fn model_request(state: &State, thread: &Thread, tools: Vec<Value>) -> ModelRequest {
    let agent = state.agent_of(thread);
    let mut system = agent.at("system").as_str().unwrap_or_default().to_owned();
    let mut add = |text: &str| {
        if !system.is_empty() {
            system.push_str("\n\n");
        }
        system.push_str(text);
    };
    if !tools.is_empty() {
        let environment = match state.is_self_hosted() {
            true => WORKERS_ENVIRONMENT,
            false => ENVIRONMENT,
        };
        add(&format!("{environment}{}", skills(state, agent)));
        if let Some(memory) = super::memory::prompt(state.config.at("resources")) {
            add(&memory);
        }
    }
    if let Some(preferences) = distil::prompt(state, thread) {
        add(&preferences);
    }
    if let Some(others) = delegation::prompt(state, thread) {
        add(&others);
    }
    if let Some(rules) = supervise::prompt(state, thread) {
        add(&rules);
    }
    // A conversation begins with the user: what was said as the system before is the prompt's end.
    let said = thread.conversation.iter().map_while(|turn| match &**turn {
        Turn::System(blocks) => Some(blocks),
        _ => None,
    });
    for text in said.flatten().filter_map(|block| block.at("text").as_str()) {
        add(text);
    }
    request(agent, system, messages(thread), tools)
}

/// Tells of the agent's skills: what each is for, and where to read on.
fn skills(state: &State, agent: &Value) -> String {
    let own = agent.at("skills").as_array();
    let kept = state.config.at(SKILLS_FIELD).as_array();
    let lines = own.into_iter().flatten().filter_map(|own| {
        let is_own = |skill: &&Value| skill.at("version") == own.at("version");
        let skill = kept?.iter().find(is_own)?;
        let text = |name: &str| skill.at(name).as_str();
        let (root, folder) = match state.is_self_hosted() {
            true => (WORKERS_SKILLS, text("name")?),
            false => (SKILLS, text("folder")?),
        };
        Some(format!(
            "\n- {}: {} ({root}/{folder}/SKILL.md)",
            text("name")?,
            text("description")?,
        ))
    });
    let lines: String = lines.collect();
    match lines.is_empty() {
        true => lines,
        false => format!("\n\n{SKILLS_INTRO}{lines}"),
    }
}

/// Returns the request that asks for a summary of the conversation.
pub fn summary_request(state: &State, thread: &Thread) -> ModelRequest {
    let text = format!(
        "Here is the conversation to summarise.\n\n{}\n\nSummarise it now.",
        // After a summary that was itself too long, show less.
        transcript(thread, SUMMARY_CHARS_MAX >> thread.compactions.min(4))
    );
    let messages = vec![json!({"role": "user", "content": [{"type": "text", "text": text}]})];
    let agent = state.agent_of(thread);
    let mut request = request(agent, SUMMARISE.to_owned(), messages, Vec::new());
    request.thinking = false;
    request
}

/// Returns the one user turn that replaces a conversation after it was summarised.
pub fn compacted_turn(thread: &Thread, summary: &str) -> Vec<Value> {
    let intro = format!(
        "The conversation so far was summarised to fit your context:\n\n{summary}\n\nGo on from there. The \
         newest message of the user, which the summary covers as far as it was worked on, follows word for word."
    );
    let mut content = vec![json!({"type": "text", "text": intro})];
    if let Some(plan) = supervise::told_plan(thread) {
        content.push(json!({"type": "text", "text": plan}));
    }
    // A summary must not reword what the user just asked.
    content.extend(
        thread
            .newest_input
            .iter()
            .map(|block| match block.at("text").as_str() {
                Some(text) => json!({"type": "text", "text": clip(text, NEWEST_INPUT_CHARS_MAX)}),
                None => block.clone(),
            }),
    );
    content
}

/// Returns the hash of a request's canonical bytes, as the log keeps it: the same request has the same one on every
/// machine. Files that messages name count by their ids.
pub fn digest(request: &ModelRequest) -> Hash {
    let canonical = json!({
        "model": request.model,
        "system": request.system,
        "messages": request.messages,
        "tools": request.tools,
        "output_tokens_max": request.output_tokens_max,
        "effort": request.effort,
        "speed": request.speed,
        "thinking": request.thinking,
    });
    Hash::of(canonical.to_string().as_bytes())
}

fn request(agent: &Value, system: String, messages: Vec<Value>, tools: Vec<Value>) -> ModelRequest {
    let model = &agent.at("model");
    let word = |name: &str| {
        let value = &model.at(name);
        value
            .as_str()
            .or_else(|| value.at("type").as_str())
            .map(str::to_owned)
    };
    ModelRequest {
        model: model.at("id").as_str().unwrap_or_default().to_owned(),
        system,
        messages,
        tools,
        output_tokens_max: OUTPUT_TOKENS_MAX,
        effort: word("effort"),
        speed: word("speed"),
        thinking: true,
    }
}

/// Turns become alternating messages: neighbours of one role are joined.
fn messages(thread: &Thread) -> Vec<Value> {
    let mut messages: Vec<(&str, Vec<Value>)> = Vec::new();
    let is_system = |turn: &&Arc<Turn>| matches!(***turn, Turn::System(_));
    for turn in thread.conversation.iter().skip_while(is_system) {
        let (role, blocks) = match &**turn {
            Turn::User(blocks) | Turn::ToolResults(blocks) => ("user", blocks),
            Turn::Assistant(blocks) => ("assistant", blocks),
            Turn::System(blocks) => ("system", blocks),
        };
        match messages.last_mut() {
            Some((last, content)) if *last == role => content.extend(blocks.iter().cloned()),
            _ => messages.push((role, blocks.clone())),
        }
    }
    messages
        .into_iter()
        .map(|(role, content)| json!({"role": role, "content": content}))
        .collect()
}

/// Returns the newest end of the conversation as text, of about `chars_max` characters.
pub(super) fn transcript(thread: &Thread, chars_max: usize) -> String {
    let mut lines = Vec::new();
    for turn in &thread.conversation {
        let (speaker, blocks) = match &**turn {
            Turn::User(blocks) => ("User", blocks),
            Turn::Assistant(blocks) => ("Agent", blocks),
            Turn::ToolResults(blocks) => ("Tool", blocks),
            Turn::System(blocks) => ("System", blocks),
        };
        for block in blocks {
            if let Some(text) = block_text(block) {
                lines.push(format!(
                    "{speaker}: {}",
                    clip(&text, SUMMARY_BLOCK_CHARS_MAX)
                ));
            }
        }
    }
    let mut shown = Vec::new();
    let mut chars = 0usize;
    for line in lines.iter().rev() {
        chars = chars.saturating_add(line.len());
        if chars > chars_max {
            shown.push("[earlier parts left out]".to_owned());
            break;
        }
        shown.push(line.clone());
    }
    shown.reverse();
    shown.join("\n\n")
}

/// Returns a block as text for a reader that is not the agent.
pub(super) fn block_text(block: &Value) -> Option<String> {
    match block.at("type").as_str()? {
        "text" => Some(block.at("text").as_str()?.to_owned()),
        "tool_use" => Some(format!(
            "[calls {} with {}]",
            block.at("name").as_str()?,
            block.at("input")
        )),
        "tool_result" => {
            let text: Vec<String> = block
                .at("content")
                .as_array()?
                .iter()
                .filter_map(block_text)
                .collect();
            Some(text.join("\n"))
        }
        "image" | "document" => Some(format!("[{}]", block.at("type").as_str()?)),
        _ => None,
    }
}

/// Returns the first `chars_max` characters of a text, and a mark where more would follow.
pub(super) fn clip(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{} [...]", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
