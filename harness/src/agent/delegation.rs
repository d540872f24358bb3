//! Tools by which an agent starts others and speaks with them: what the model is told of them, and what their calls do.
//!
//! A call does all that it does in one commit with its result: a thread is begun with its first message or not at all,
//! and after a crash the call is made again or was.

use serde_json::{Value, json};

use super::runner::{Runner, result_kind};
use super::session::DriverError;
use super::toolset::{AGENT_TOOLSET, narrowed};
use crate::ids::ThreadId;
use crate::json::Fields as _;
use crate::session::{
    AgentOf, Bounds, Call, Delegation, Draft, EventKind, Guards, Left, Member, Roster, Speaker,
    State, Status, Thread, is_busy, roster, targets, text_block,
};
use crate::store::NewEvent;

/// Threads that a session may have had in all.
const THREADS_MAX: usize = 1_000;
/// Characters of a name, and of the system prompt, of an agent that is made up.
const NAME_CHARS_MAX: usize = 256;
const SYSTEM_CHARS_MAX: usize = 100_000;
/// Characters of an agent's newest text in a list of agents.
const LISTED_CHARS_MAX: usize = 300;
/// Characters of the conversation that the advisor reads: its newest end.
const ADVISED_CHARS_MAX: usize = 100_000;
/// The wire's name of advisors.
const ADVISOR: &str = "anthropic.advisor";

const ADVISE: &str = "You advise an AI agent at its work. You see its conversation and its question. Answer with \
advice that it can act on: what to do next and why, what it overlooked, what to verify. Be brief and definite. You have \
no tools and are asked once.";

/// Returns the names of the delegation tools that the agent of a thread has.
pub(super) fn names(state: &State, thread: &Thread) -> Vec<&'static str> {
    let roster = roster(state, thread);
    let mut names = Vec::new();
    if !roster.members.is_empty() || roster.has_inline {
        names.extend([
            "list_agents",
            "start_agent",
            "send_to_agent",
            "wait_for_agents",
        ]);
    }
    if roster.advisor.is_some() {
        names.push("ask_advisor");
    }
    names
}

/// Returns their definitions; a tool of the agent's own, which is among `others`, keeps its name.
pub(super) fn definitions(state: &State, thread: &Thread, others: &[Value]) -> Vec<Value> {
    let roster = roster(state, thread);
    let is_free = |name: &&&str| others.iter().all(|other| *other.at("name") != ***name);
    names(state, thread)
        .iter()
        .filter(is_free)
        .filter_map(|name| Some(definition(name, Delegation::parse(name)?, &roster)))
        .collect()
}

fn definition(name: &str, tool: Delegation, roster: &Roster<'_>) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let (description, properties, required) = match tool {
        Delegation::List => (
            "Lists the agents that you can start, and those that you started with what they are doing.",
            json!({}),
            json!([]),
        ),
        Delegation::Start => {
            let mut properties = json!({
                "message": text("What the agent is to do, with all that it has to know: it sees nothing of your conversation."),
            });
            if !roster.members.is_empty() {
                let names: Vec<&Value> = roster
                    .members
                    .iter()
                    .map(|member| member.agent.at("name"))
                    .collect();
                properties.set(
                    "agent",
                    json!({
                        "type": "string",
                        "enum": names,
                        "description": "The name of the agent to start.",
                    }),
                );
            }
            let mut required = vec!["message"];
            if let Some(levels) = roster.levels_below {
                properties.set("limits", limits_schema(levels));
            }
            if roster.has_inline {
                properties.set("inline", json!({
                    "type": "object",
                    "description": "An agent made up for this task, in place of a named one. It has your model and your tools.",
                    "properties": {
                        "name": text("A short name."),
                        "system": text("Its system prompt: who it is and how it works."),
                        "tools": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "Names of those of your built-in tools that it may use. Default: all.",
                        },
                    },
                    "required": ["name", "system"],
                    "additionalProperties": false,
                }));
            } else {
                required.push("agent");
            }
            (
                "Starts an agent in a thread of its own, with a context of its own; it works on the same files as you, at \
                 the same time. Returns its thread id at once. When it has done what you asked for, you get its answer as \
                 a message. To go on with an agent that you started, use send_to_agent: it remembers.",
                properties,
                json!(required),
            )
        }
        Delegation::Send => (
            "Sends a message to an agent that you started. It goes on with its history; you get its answer as a message.",
            json!({
                "thread_id": text("The agent's thread id."),
                "message": text("What it is to do now."),
            }),
            json!(["thread_id", "message"]),
        ),
        Delegation::Wait => (
            "Waits until agents that you started have done what they are at; their answers follow as messages. You need \
             not wait: a message comes to you in any case, also when you have ended your turn.",
            json!({
                "thread_ids": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Which ones. Default: all.",
                },
                "for": {
                    "type": "string",
                    "enum": ["all", "any"],
                    "description": "Wait for all of them, or until any is done. Default: all.",
                },
            }),
            json!([]),
        ),
        Delegation::Advise => (
            "Asks a stronger model for advice. It sees your conversation. Use it before decisions that are hard to undo \
             and when you are stuck.",
            json!({"question": text("What you want to know.")}),
            json!(["question"]),
        ),
    };
    json!({
        "name": name,
        "description": description,
        "input_schema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        },
    })
}

/// Returns the schema of what a call that starts an agent may say of its limits.
fn limits_schema(levels: u32) -> Value {
    let whole = |least: u32, description: &str| json!({"type": "integer", "minimum": least, "description": description});
    let mut properties = json!({
        "seconds": whole(1, "How long it may run, with the agents that it starts."),
        "spend_cents": whole(1, "What it may cost, with the agents that it starts, in US cents."),
        "tools": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The names of the only tools that it may use, of those that you may use yourself.",
        },
    });
    if levels > 0 {
        properties.set(
            "depth",
            whole(0, "Levels of agents that it may start: 0 for none."),
        );
    }
    json!({
        "type": "object",
        "description": "Gives the agent less than it would have: it can never have more than you.",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Returns the part of the system prompt that tells an agent of the others; none where there are none.
pub(super) fn prompt(state: &State, thread: &Thread) -> Option<String> {
    let roster = roster(state, thread);
    let mut parts = Vec::new();
    if !roster.members.is_empty() || roster.has_inline {
        let mut text = "You can hand work to other agents. Each works in a thread of its own, on the same files and in \
                        the same shell as you: use absolute paths, and let no two of them change the same files at the \
                        same time."
            .to_owned();
        let lines = roster.members.iter().map(|Member { agent, .. }| {
            let text = |name: &str| agent.at(name).as_str().unwrap_or_default();
            match text("description") {
                "" => format!("\n- {}", text("name")),
                description => format!("\n- {}: {description}", text("name")),
            }
        });
        let lines: String = lines.collect();
        if !lines.is_empty() {
            text.push_str(" The agents are:");
            text.push_str(&lines);
        }
        parts.push(text);
    }
    if thread.is_started() {
        parts.push(
            "Another agent gives you work. The last message of your turn is your answer to it: say there what you did and \
             found, and what is left. You work on the same files and in the same shell as others: use absolute paths."
                .to_owned(),
        );
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

impl Runner {
    /// Makes a call of a delegation tool: all that it does is in one commit with its result.
    pub(super) async fn delegate(&mut self, call: &Call) -> Result<(), DriverError> {
        self.with_threads(call, |doing: &mut Doing<'_>| doing.act())
            .await
    }

    /// Has a stronger model asked about a call, which has its answer as the result.
    pub(super) async fn consult(
        &mut self,
        call: &Call,
        model: &str,
        question: &str,
    ) -> Result<(), DriverError> {
        let ask = |doing: &mut Doing<'_>| {
            let asked = doing.ask(model, question);
            asked.err().map(|why| (why, true))
        };
        self.with_threads(call, ask).await
    }

    /// Makes a call that begins threads or speaks with them: `act` returns its result, and whether that is an error; none
    /// while it waits for a thread.
    async fn with_threads(
        &mut self,
        call: &Call,
        act: impl Fn(&mut Doing<'_>) -> Option<(String, bool)> + Send + Sync,
    ) -> Result<(), DriverError> {
        let now = self.brain.clock.now();
        let own = self.thread_id.clone();
        // Ids that stay the same where the log grew meanwhile and it is made again.
        let new_thread = ThreadId::fresh(now);
        let make = |state: &State| -> Result<Vec<NewEvent>, DriverError> {
            let Some(thread) = state.thread(own.as_str()) else {
                return Ok(Vec::new());
            };
            // Whatever was decided before: an interrupt answers the call, and what another one waits for may go on.
            if thread.is_interrupted() || thread.call(call.event_id.as_str()).is_none() {
                return Ok(Vec::new());
            }
            let mut doing = Doing {
                state,
                thread,
                call,
                new_thread: new_thread.clone(),
                draft: Draft::new(now, Speaker::of(state, thread)),
            };
            if let Some((text, is_error)) = act(&mut doing) {
                doing.draft.speak_as(Speaker::of(state, thread));
                let result = json!({
                    "tool_use_id": call.event_id.as_str(),
                    "content": [text_block(&text)],
                    "is_error": is_error,
                });
                let (kind, _) = result_kind(&call.kind);
                doing.draft.thread(kind, result);
            }
            Ok(doing.draft.into_events())
        };
        self.commit_made(make, |_, _| {}).await?;
        Ok(())
    }
}

/// One call being made.
struct Doing<'a> {
    state: &'a State,
    thread: &'a Thread,
    call: &'a Call,
    new_thread: ThreadId,
    draft: Draft,
}

impl Doing<'_> {
    /// Returns the result and whether it is an error; none while it waits for a thread.
    fn act(&mut self) -> Option<(String, bool)> {
        let done = match Delegation::parse(&self.call.name) {
            Some(Delegation::List) => Ok(self.list().to_string()),
            Some(Delegation::Start) => self.start(),
            Some(Delegation::Send) => self.send(),
            Some(Delegation::Wait) => self.waited(),
            Some(Delegation::Advise) => match self.advise() {
                Ok(()) => return None,
                Err(why) => Err(why),
            },
            None => Err("There is no such tool.".to_owned()),
        };
        Some(match done {
            Ok(text) => (text, false),
            Err(why) => (why, true),
        })
    }

    fn text(&self, name: &str) -> Result<String, String> {
        match self.call.input.at(name).as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(format!("{name} must be a text that is not empty.")),
        }
    }

    fn list(&self) -> Value {
        let roster = roster(self.state, self.thread);
        let agents = roster.members.iter().map(|member| {
            json!({
                "name": member.agent.at("name"),
                "id": member.agent.at("id"),
                "description": member.agent.at("description"),
                "model": member.agent.at("model").at("id"),
            })
        });
        let children = self.state.children(&self.thread.id);
        let threads = children.map(|child| self.told(child));
        json!({"agents": agents.collect::<Vec<_>>(), "threads": threads.collect::<Vec<_>>()})
    }

    fn told(&self, child: &Thread) -> Value {
        let status = match (child.status, child.stop_reason.at("type").as_str()) {
            (Status::Idle, Some("requires_action")) => "waits for the user",
            (Status::Idle, Some("budget_reached")) => "stopped at the budget",
            (Status::Idle, Some("retries_exhausted" | "refusal")) => "failed",
            (Status::Idle, _) => "done",
            (Status::Running, _) => "works",
            (Status::Rescheduling, _) => "tries again",
            (Status::Terminated, _) => "ended",
        };
        json!({
            "thread_id": child.id.as_str(),
            "agent": self.state.name_of(child),
            "status": status,
            "newest_text": super::context::clip(&child.newest_text(), LISTED_CHARS_MAX),
        })
    }

    fn start(&mut self) -> Result<String, String> {
        let message = self.text("message")?;
        let (agent, name) = self.wanted()?;
        self.check_room()?;
        if let Some(why) = self.state.no_room_below(self.thread) {
            return Err(why);
        }
        let limits = self.limits()?;
        let to = self.begin(&agent, &name, json!({"limits": limits}));
        self.deliver(&to, &message, true);
        let told = json!({"thread_id": self.new_thread.as_str(), "agent": name, "status": "works"});
        Ok(told.to_string())
    }

    /// Returns the limits that the call sets; null if it sets none.
    fn limits(&self) -> Result<Value, String> {
        let asked = self.call.input.at("limits");
        if asked.is_null() {
            return Ok(Value::Null);
        }
        if !self.thread.grant.is_narrowing() {
            return Err("Limits of agents that you start are not supported here.".to_owned());
        }
        let whole = |name: &str| match asked.at(name) {
            Value::Null => Ok(Value::Null),
            value if value.as_u64().is_some() => Ok(value.clone()),
            _ => Err(format!("limits.{name} must be a whole number.")),
        };
        let tools = match asked.at("tools") {
            Value::Null => Value::Null,
            Value::Array(names) if names.iter().all(Value::is_string) => json!(names),
            _ => return Err("limits.tools must be a list of names of tools.".to_owned()),
        };
        let mut limits = json!({
            "depth": whole("depth")?,
            "seconds": whole("seconds")?,
            "tools": tools,
        });
        if let Some(cents) = whole("spend_cents")?.as_u64() {
            limits.set(
                "spend",
                json!({"amount": cents.to_string(), "currency": "USD"}),
            );
        }
        match self.thread.grant.exceeded(&Bounds::read(&limits)) {
            Some(why) => Err(why),
            None => Ok(limits),
        }
    }

    /// Returns the agent that is to be started.
    fn wanted(&self) -> Result<(AgentOf, String), String> {
        let roster = roster(self.state, self.thread);
        let inline = self.call.input.at("inline");
        if !inline.is_null() {
            if !roster.has_inline {
                return Err(
                    "You cannot make up agents; start one of those that list_agents tells of."
                        .to_owned(),
                );
            }
            let agent = self.made_up(inline, &roster)?;
            let name = agent.at("name").as_str().unwrap_or_default().to_owned();
            return Ok((AgentOf::Inline(agent.into()), name));
        }
        let name = self.text("agent")?;
        let is_wanted = |member: &&Member<'_>| {
            *member.agent.at("name") == *name || *member.agent.at("id") == *name
        };
        match roster.members.iter().find(is_wanted) {
            Some(member) => {
                let name = member.agent.at("name").as_str().unwrap_or_default();
                Ok((member.place.clone(), name.to_owned()))
            }
            None => {
                let names: Vec<&str> = roster
                    .members
                    .iter()
                    .filter_map(|member| member.agent.at("name").as_str())
                    .collect();
                Err(format!(
                    "There is no agent {name:?}. There are: {}.",
                    names.join(", ")
                ))
            }
        }
    }

    /// Returns an agent that has the rights of the one that makes it up, or fewer.
    fn made_up(&self, inline: &Value, roster: &Roster<'_>) -> Result<Value, String> {
        let text = |name: &str, max: usize| match inline.at(name).as_str().map(str::trim) {
            Some(text) if !text.is_empty() && text.chars().count() <= max => Ok(text.to_owned()),
            _ => Err(format!(
                "inline.{name} must be a text of 1 to {max} characters."
            )),
        };
        let (name, system) = (
            text("name", NAME_CHARS_MAX)?,
            text("system", SYSTEM_CHARS_MAX)?,
        );
        let is_taken = roster
            .members
            .iter()
            .any(|member| *member.agent.at("name") == *name);
        if is_taken || name.to_lowercase().starts_with("anthropic.") {
            return Err(format!(
                "The name {name:?} is another agent's; choose one of your own."
            ));
        }
        let maker = self.state.agent_of(self.thread);
        let tools = match inline.at("tools").as_array() {
            None => maker.at("tools").clone(),
            Some(wanted) => {
                let wanted: Vec<&str> = wanted.iter().filter_map(Value::as_str).collect();
                let sets = maker.at("tools").as_array().into_iter().flatten();
                let sets = sets.filter(|set| *set.at("type") == AGENT_TOOLSET);
                sets.map(|set| narrowed(set, &wanted)).collect()
            }
        };
        let mut agent = json!({
            "type": "inline",
            "name": name,
            "description": null,
            "model": maker.at("model"),
            "system": system,
            "tools": tools,
            "mcp_servers": match inline.at("tools").is_array() {
                true => json!([]),
                false => maker.at("mcp_servers").clone(),
            },
            "skills": maker.at("skills"),
            "execution_identity": maker.at("execution_identity"),
        });
        if !maker.at("sinew").is_null() {
            agent.set("sinew", maker.at("sinew").clone());
        }
        Ok(agent)
    }

    fn check_room(&self) -> Result<(), String> {
        match self
            .state
            .threads
            .iter()
            .filter(|thread| !thread.is_grader())
            .count()
            >= THREADS_MAX
        {
            true => Err(format!(
                "This session has had {THREADS_MAX} threads, and can have no more."
            )),
            false => Ok(()),
        }
    }

    /// Begins a thread, and returns its speaker.
    fn begin(&mut self, agent: &AgentOf, name: &str, more: Value) -> Speaker {
        let speaker = Speaker {
            thread_id: self.new_thread.clone(),
            agent_name: name.to_owned(),
            is_primary: false,
            is_hidden: false,
        };
        self.draft.speak_as(speaker.clone());
        let mut private = json!({
            "agent": agent.to_json(),
            "parent_thread_id": self.thread.id.as_str(),
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            private.set(field, value.clone());
        }
        let body = json!({
            "session_thread_id": self.new_thread.as_str(),
            "agent_name": name,
            "workflow_run_id": null,
        });
        self.draft
            .shared(EventKind::SessionThreadCreated, body, Some(private));
        speaker
    }

    /// Sends a message to a thread, and opens its turn if it does nothing.
    fn deliver(&mut self, to: &Speaker, message: &str, opens_turn: bool) {
        let content = json!([text_block(message)]);
        let from = Speaker::of(self.state, self.thread);
        self.draft.speak_as(from.clone());
        self.draft
            .thread(EventKind::AgentThreadMessageSent, to.as_receiver(&content));
        self.draft.speak_as(to.clone());
        if opens_turn {
            self.draft.running();
        }
        self.draft.thread(
            EventKind::AgentThreadMessageReceived,
            from.as_sender(&content),
        );
    }

    fn send(&mut self) -> Result<String, String> {
        let (id, message) = (self.text("thread_id")?, self.text("message")?);
        let child = self
            .state
            .thread(&id)
            .filter(|child| child.parent.as_ref() == Some(&self.thread.id) && child.is_started());
        let Some(child) = child else {
            return Err(format!(
                "You have started no agent in a thread {id:?}; list_agents tells of those that you have."
            ));
        };
        if !child.is_live() {
            return Err("That agent was archived. Start a new one.".to_owned());
        }
        if let Left::Nothing(limit) = self.state.left(child) {
            return Err(format!("It cannot go on: {}.", limit.message()));
        }
        let guards = Guards::of(self.state, child);
        if let Some(most) = guards
            .messages
            .filter(|most| child.messages_in_turn >= *most)
        {
            return Err(format!(
                "You have sent this agent {most} messages since the user's last one: this one was not sent. End your \
                 turn, and say what was done and what is in the way."
            ));
        }
        // One that waits for the client gets it once its calls are answered.
        let is_done = child.status == Status::Idle && child.calls.is_empty();
        let to = Speaker::of(self.state, child);
        self.deliver(&to, &message, is_done);
        let status = if is_done {
            "works"
        } else {
            "gets it when it has done what it is at"
        };
        Ok(json!({"thread_id": id, "agent": to.agent_name, "status": status}).to_string())
    }

    fn waited(&self) -> Result<String, String> {
        let named = self.call.input.at("thread_ids").as_array();
        let targets = targets(self.state, self.thread, self.call);
        for id in named.into_iter().flatten() {
            if !targets.iter().any(|child| *id == *child.id.as_str()) {
                return Err(format!(
                    "You have no agent at work in a thread {id}; list_agents tells of those that you have."
                ));
            }
        }
        if targets.is_empty() {
            return Err("You have started no agents: there is nothing to wait for.".to_owned());
        }
        let (busy, done): (Vec<&Thread>, Vec<&Thread>) = targets
            .into_iter()
            .partition(|child| is_busy(self.state, child));
        let told = |threads: Vec<&Thread>| -> Vec<Value> {
            threads
                .into_iter()
                .map(|child| {
                    let mut told = self.told(child);
                    // What it said comes as a message.
                    if let Some(fields) = told.as_object_mut() {
                        fields.remove("newest_text");
                    }
                    told
                })
                .collect()
        };
        Ok(json!({"done": told(done), "at_work": told(busy)}).to_string())
    }

    fn advise(&mut self) -> Result<(), String> {
        let question = self.text("question")?;
        let roster = roster(self.state, self.thread);
        match roster.advisor {
            Some(model) => self.ask(model, &question),
            None => Err("There is no advisor.".to_owned()),
        }
    }

    /// Begins the thread of an advisor.
    fn ask(&mut self, model: &str, question: &str) -> Result<(), String> {
        self.check_room()?;
        let agent = json!({
            "type": "agent",
            "name": ADVISOR,
            "model": {"id": model},
            "system": ADVISE,
            "tools": [],
        });
        let text = format!(
            "Here is the conversation of the agent.\n\n{}\n\nIts question: {question}",
            super::context::transcript(self.thread, ADVISED_CHARS_MAX),
        );
        let more = json!({
            "for_call": self.call.event_id.as_str(),
            "prompt": [text_block(&text)],
        });
        let speaker = self.begin(&AgentOf::Advisor(agent.into()), ADVISOR, more);
        self.draft.speak_as(speaker);
        self.draft.running();
        Ok(())
    }
}
