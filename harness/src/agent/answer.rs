//! A model's answer, or its failure, as events.

use serde_json::{Value, json};

use super::brain::ModelFacts;
use super::judge::{self, Judgements};
use super::ruling::{Rulings, evaluate_call};
use super::supervise::{Remark, Watch};
use super::toolset::{Evaluated, Known, Rights};
use crate::clock::{Timestamp, rfc3339};
use crate::ids::EventId;
use crate::json::Fields as _;
use crate::model::{ModelAnswer, ModelError, ModelRequest, StopReason, TokenUsage};
use crate::rules::Verdict;
use crate::session::{CallKind, Draft, EventKind, Guards, Permission, State, Thread, text_block};

/// Ids given to an answer's events when the request started, so that previews can name them.
pub(super) struct AnswerIds {
    pub(super) start: EventId,
    pub(super) thinking: EventId,
    pub(super) message: EventId,
}

/// What an answer is an answer to.
pub(super) struct Asked<'a> {
    pub(super) request: &'a ModelRequest,
    /// What the agent may call.
    pub(super) rights: &'a Rights<'a>,
    /// The tools that there are.
    pub(super) known: Known<'a>,
    pub(super) facts: &'a dyn ModelFacts,
    /// Delegation tools that the agent has.
    pub(super) delegation: &'a [&'static str],
    /// Calls that change files may come to wait for the client, whatever is said of them here.
    pub(super) is_reviewed: bool,
    /// Nobody can be asked about its calls: what asks is denied.
    pub(super) is_unseen: bool,
    /// The session, and the thread whose model answered.
    pub(super) state: &'a State,
    pub(super) thread: &'a Thread,
    pub(super) said: Said<'a>,
}

/// What was said of an answer's calls beside the agent's toolsets.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    /// What the rules said.
    pub(super) rulings: &'a Rulings,
    /// What the judge said.
    pub(super) judgements: &'a Judgements,
    /// What the judge cost; it is billed with the request whose calls it judged.
    pub(super) judge_usage: TokenUsage,
}

/// Share of the model's context, in percent, above which the next request is preceded by a summary.
const CONTEXT_PERCENT_MAX: u64 = 80;
/// Bytes of a request that are hardly ever less than one token.
const BYTES_PER_TOKEN_MIN: u64 = 2;
/// Answers in a row that may be cut at the output limit before the turn ends.
const CUT_ANSWERS_MAX: u32 = 3;

/// Adds the events of an answer: thinking, message, calls, the end of the request, and the results of
/// calls that are denied at once.
pub(super) fn answered(draft: &mut Draft, ids: AnswerIds, asked: &Asked<'_>, answer: &ModelAnswer) {
    let Asked {
        request,
        rights,
        known,
        facts,
        said,
        delegation,
        is_reviewed,
        is_unseen,
        state,
        thread,
    } = *asked;
    let guards = Guards::of(state, thread);
    let mut repeated = thread.repeated.clone();
    let mut watch = Watch::new(state, thread);
    let kind_of = |block: &Value| block.at("type").as_str().unwrap_or_default().to_owned();
    let has_thought = answer
        .content
        .iter()
        .any(|block| matches!(kind_of(block).as_str(), "thinking" | "redacted_thinking"));
    if has_thought {
        draft.with_private(ids.thinking, EventKind::AgentThinking, json!({}), None);
    }
    let text = message_content(answer);
    if !text.is_empty() {
        let body = json!({ "content": text });
        draft.with_private(ids.message, EventKind::AgentMessage, body, None);
    }
    // An answer cut at the output limit may end in half a call, and a refused one is not to be acted on:
    // none of their calls is run.
    let is_cut = matches!(
        answer.stop_reason,
        StopReason::MaxTokens | StopReason::Refusal { .. }
    );
    let calls: Vec<&Value> = answer
        .content
        .iter()
        .filter(|block| kind_of(block) == "tool_use" && !is_cut)
        .collect();
    let denied: Vec<Denied> = calls
        .iter()
        .filter_map(|call| {
            let id = call.at("id").as_str().unwrap_or_default();
            if watch.is_own(call_name(call)) {
                let shell = watch.as_shell(call);
                let shell = shell.map(|shell| evaluate_call(rights, &shell, known, said.rulings));
                let (evaluated, remark) = watch.own(call, shell, said.rulings.get(id));
                repeated = repeated.behind(&body_of(call, &evaluated));
                return push_call(draft, call, evaluated, false, remark);
            }
            let evaluated = evaluate_call(rights, call, known, said.rulings);
            let judgement = said.judgements.get(id).copied();
            let mut evaluated = judge::apply(evaluated, judgement);
            if evaluated.is_unknown() && delegation.contains(&call_name(call)) {
                evaluated = Evaluated::delegation();
                // Nobody is asked about such a call: what is not allowed is denied.
                let ruling = said.rulings.get(id);
                if let Some(ruling) = ruling.filter(|ruling| ruling.verdict != Verdict::Allow) {
                    evaluated.permission = Permission::Deny;
                    evaluated.ruling = Some(ruling.clone());
                }
            }
            if is_unseen && evaluated.permission == Permission::Ask {
                evaluated.permission = Permission::Deny;
                evaluated.evaluation = None;
            }
            let mut remark = watch.other(call_name(call), &mut evaluated);
            if evaluated.kind != CallKind::Delegation {
                repeated = repeated.behind(&body_of(call, &evaluated));
                let is_circle = guards.same_call.is_some_and(|most| repeated.count > most);
                if is_circle && evaluated.permission != Permission::Deny {
                    remark = Some(circle(repeated.count - 1));
                    evaluated.permission = Permission::Deny;
                    evaluated.evaluation = None;
                }
            }
            push_call(draft, call, evaluated, is_reviewed, remark)
        })
        .collect();
    let goes_on = match answer.stop_reason {
        StopReason::MaxTokens if thread.cut_answers < CUT_ANSWERS_MAX => Some("output_limit"),
        StopReason::PauseTurn => Some("pause"),
        _ => None,
    };
    let kept: Vec<&Value> = answer
        .content
        .iter()
        .filter(|block| !(is_cut && matches!(kind_of(block).as_str(), "tool_use" | "thinking")))
        .collect();
    let billed = answer.usage.plus(&said.judge_usage);
    let mut private = accounting(request, &billed, facts);
    private.set("content", json!(kept));
    private.set("goes_on", json!(goes_on));
    let usage = &answer.usage;
    // Numbers of a provider: they are added so that no size of them can overflow.
    let context = [
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.cache_5m_input_tokens,
        usage.cache_1h_input_tokens,
        usage.output_tokens,
    ]
    .into_iter()
    .fold(0u64, u64::saturating_add);
    let context_max = facts.input_tokens_max(&request.model);
    if context > context_max / 100 * CONTEXT_PERCENT_MAX {
        private.set("context_is_nearly_full", json!(true));
    }
    end(
        draft,
        &ids.start,
        request.speed.as_deref(),
        &billed,
        false,
        private,
    );
    for Denied {
        event_id,
        kind,
        text,
    } in denied
    {
        super::runner::close_call(draft, &kind, &event_id, &text);
    }
}

/// Adds the end of a request that made a summary, and the event that replaces the conversation.
pub(super) fn summarised(
    draft: &mut Draft,
    start: &EventId,
    request: &ModelRequest,
    answer: &ModelAnswer,
    content: Vec<Value>,
    facts: &dyn ModelFacts,
) {
    let mut private = accounting(request, &answer.usage, facts);
    private.set("is_summary", json!(true));
    end(
        draft,
        start,
        request.speed.as_deref(),
        &answer.usage,
        false,
        private,
    );
    draft.with_private(
        EventId::fresh(draft.at()),
        EventKind::AgentThreadContextCompacted,
        json!({}),
        Some(json!({ "content": content })),
    );
}

/// Adds the end of a request that failed; the next attempt is due at `retry_at`.
pub(super) fn failed(
    draft: &mut Draft,
    start: &EventId,
    request: &ModelRequest,
    error: &ModelError,
    retry_at: Option<Timestamp>,
) {
    let private = json!({
        "error": error.to_string(),
        "retry_at": retry_at.map(rfc3339),
    });
    failed_with(draft, start, request, private);
}

/// Adds the end of a request that did not fit the model's context.
pub(super) fn too_long(
    draft: &mut Draft,
    start: &EventId,
    request: &ModelRequest,
    error: &ModelError,
    is_summary: bool,
) {
    let private = json!({
        "error": error.to_string(),
        "context_too_long": true,
        "is_summary": is_summary,
    });
    failed_with(draft, start, request, private);
}

fn failed_with(draft: &mut Draft, start: &EventId, request: &ModelRequest, private: Value) {
    let speed = request.speed.as_deref();
    end(draft, start, speed, &TokenUsage::default(), true, private);
}

/// Adds the end of a request that was under way when its driver died.
pub(super) fn lost_request(draft: &mut Draft, start: &EventId) {
    end_without_usage(draft, start, json!({"is_lost": true}));
}

/// Adds the end of a request that an interrupt stopped.
pub(super) fn interrupted_request(draft: &mut Draft, start: &EventId) {
    end_without_usage(draft, start, json!({"is_interrupt": true}));
}

/// Returns the wire's error type for a failed model request.
pub(super) fn error_kind(error: &ModelError) -> &'static str {
    match error {
        ModelError::Overloaded { .. } => "model_overloaded_error",
        ModelError::RateLimited { .. } => "model_rate_limited_error",
        ModelError::Billing(_) => "billing_error",
        ModelError::Authentication(_)
        | ModelError::Transient { .. }
        | ModelError::ContextTooLong(_)
        | ModelError::Refused(_)
        | ModelError::Protocol(_) => "model_request_failed_error",
    }
}

/// Returns the text blocks of an answer as the wire has them.
fn message_content(answer: &ModelAnswer) -> Vec<Value> {
    answer
        .content
        .iter()
        .filter(|block| block.at("type") == "text")
        .filter_map(|block| block.at("text").as_str())
        .filter(|text| !text.trim().is_empty())
        .map(text_block)
        .collect()
}

fn call_name(call: &Value) -> &str {
    call.at("name").as_str().unwrap_or_default()
}

/// A call that is denied at once.
struct Denied {
    event_id: EventId,
    /// Where it would run.
    kind: CallKind,
    /// What the model is told.
    text: String,
}

/// Returns what the event of a call says of it.
fn body_of(call: &Value, evaluated: &Evaluated) -> Value {
    let name = evaluated.own_name.as_deref().unwrap_or(call_name(call));
    let mut body = json!({"name": name, "input": call.at("input")});
    if let CallKind::Mcp(server) = &evaluated.kind {
        body.set("mcp_server_name", json!(server));
    }
    body
}

/// Returns what is said of a call that goes round in circles.
fn circle(times: u32) -> Remark {
    let denial = format!(
        "You made this same call {times} times in a row, so it is not made again. Do something else, or end your turn \
         and say what is in the way."
    );
    Remark {
        denial: Some(denial),
        told: ("loop", json!({"same_call": times})),
    }
}

/// Adds a call; returns it if it is denied at once.
fn push_call(
    draft: &mut Draft,
    call: &Value,
    evaluated: Evaluated,
    is_reviewed: bool,
    remark: Option<Remark>,
) -> Option<Denied> {
    let mut body = body_of(call, &evaluated);
    let Evaluated {
        kind,
        own_name,
        permission,
        evaluation,
        ruling,
    } = evaluated;
    let name = own_name.as_deref().unwrap_or(call_name(call));
    let event = match &kind {
        CallKind::Custom => EventKind::AgentCustomToolUse,
        CallKind::Delegation => EventKind::Delegated,
        CallKind::BuiltIn | CallKind::Component | CallKind::Worker | CallKind::Supervision => {
            EventKind::AgentToolUse
        }
        CallKind::Mcp(_) => EventKind::AgentMcpToolUse,
    };
    if !matches!(kind, CallKind::Custom | CallKind::Delegation) {
        body.set("evaluated_permission", json!(permission.as_str()));
        if let Some(evaluation) = evaluation {
            body.set("evaluation", evaluation);
        }
    }
    let mut text = format!("Permission to use {name} has been denied");
    if let Some(ruling) = &ruling {
        text.push_str(" by the policy of this ");
        text.push_str(ruling.owner);
    }
    if let Some(ruling) = ruling.as_ref().filter(|ruling| !ruling.reason.is_empty()) {
        text.push_str(": ");
        text.push_str(&ruling.reason);
    } else {
        text.push('.');
    }
    if let Some(ruling) = ruling {
        body.set("sinew", json!({"policy": ruling.to_json()}));
    }
    if let Some(Remark { denial, told }) = remark {
        text = denial.unwrap_or(text);
        let mut ours = body.at("sinew").clone();
        if !ours.is_object() {
            ours = json!({});
        }
        ours.set(told.0, told.1);
        body.set("sinew", ours);
    }
    let mut private = json!({"model_id": call.at("id")});
    if permission == Permission::Deny {
        // The wire says it of the harness's own tools alone.
        private.set("is_denied", json!(true));
    }
    // What the client has to act on is in the session's lists, whichever thread it is of.
    let is_clients = match kind {
        CallKind::Custom | CallKind::Worker => true,
        CallKind::BuiltIn | CallKind::Component => permission == Permission::Ask || is_reviewed,
        CallKind::Mcp(_) | CallKind::Supervision => permission == Permission::Ask,
        CallKind::Delegation => false,
    };
    let is_shown = is_clients && permission != Permission::Deny;
    let event_id = match draft.told_thread().filter(|_| is_shown) {
        Some(thread) => {
            body.set("session_thread_id", json!(thread.as_str()));
            draft.shared(event, body, Some(private))
        }
        None => {
            let event_id = EventId::fresh(draft.at());
            draft.with_private(event_id.clone(), event, body, Some(private));
            event_id
        }
    };
    (permission == Permission::Deny).then_some(Denied {
        event_id,
        kind,
        text,
    })
}

/// Returns about the most that a request may cost, in nano-cents: what it says is counted as more tokens than it has.
pub(super) fn cost_max(request: &ModelRequest, facts: &dyn ModelFacts) -> u64 {
    let said =
        |parts: &[Value]| -> u64 { parts.iter().map(|part| part.to_string().len() as u64).sum() };
    let bytes = (request.system.len() as u64)
        .saturating_add(said(&request.messages))
        .saturating_add(said(&request.tools));
    let most = TokenUsage {
        input_tokens: bytes / BYTES_PER_TOKEN_MIN,
        output_tokens: u64::from(request.output_tokens_max),
        ..TokenUsage::default()
    };
    let cost = facts.price_nanocents(&request.model, request.speed.as_deref(), &most);
    cost.map_or(0, |cost| u64::try_from(cost).unwrap_or(u64::MAX))
}

/// Returns what the end of a request keeps of its cost.
pub(super) fn accounting(
    request: &ModelRequest,
    usage: &TokenUsage,
    facts: &dyn ModelFacts,
) -> Value {
    let cost = facts.price_nanocents(&request.model, request.speed.as_deref(), usage);
    json!({
        "usage": usage,
        "cost_nanocents": cost.map(|cost| cost.to_string()),
    })
}

fn end_without_usage(draft: &mut Draft, start: &EventId, private: Value) {
    end(draft, start, None, &TokenUsage::default(), true, private);
}

fn end(
    draft: &mut Draft,
    start: &EventId,
    speed: Option<&str>,
    usage: &TokenUsage,
    is_error: bool,
    private: Value,
) {
    let mut model_usage = json!({
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation_input_tokens": usage.cache_5m_input_tokens.saturating_add(usage.cache_1h_input_tokens),
    });
    if let Some(speed) = speed {
        model_usage.set("speed", json!(speed));
    }
    let body = json!({
        "model_request_start_id": start.as_str(),
        "is_error": is_error,
        "model_usage": model_usage,
    });
    let id = EventId::fresh(draft.at());
    draft.with_private(id, EventKind::SpanModelRequestEnd, body, Some(private));
}
