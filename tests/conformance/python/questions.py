"""What stops for the client: custom tools and confirmations."""

from support import *

LOOKUP = {
    "type": "custom",
    "name": "lookup",
    "description": "Looks a word up.",
    "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}
ASKS = {
    "type": "agent_toolset_20260401",
    "default_config": {"enabled": False},
    "configs": [
        {"name": "write", "enabled": True, "permission_policy": {"type": "always_ask"}},
        {"name": "read", "enabled": True},
    ],
}


def result(call, words, **fields):
    content = [text(words)]
    return {"type": "user.custom_tool_result", "custom_tool_use_id": call.id, "content": content, **fields}


def confirm(call, answer, **fields):
    return {"type": "user.tool_confirmation", "tool_use_id": call.id, "result": answer, **fields}


def scenario_a_custom_tool():
    session = new_session(tools=[LOOKUP])
    events = turn(session, message("look two words up"))
    one, two = of_kind(events, "agent.custom_tool_use")
    assert [call.input for call in (one, two)] == [{"word": "sinew"}, {"word": "nerve"}]
    assert not hasattr(one, "evaluated_permission") or one.evaluated_permission is None
    assert events[-1].stop_reason.type == "requires_action"
    assert events[-1].stop_reason.event_ids == [one.id, two.id]

    error = refused(anthropic.BadRequestError, send, session, message("not now"))
    assert "waits for action" in str(error)
    with client.beta.sessions.events.stream(session.id) as stream:
        answer = send(session, result(one, "a tendon"))
        assert answer.data[0].processed_at is not None, "results are taken on receipt"
        still = until(stream, "session.status_idle")
    assert still[-1].stop_reason.event_ids == [two.id], "the rest is asked for again"
    refused(anthropic.BadRequestError, send, session, result(one, "twice"))
    events = turn(session, result(two, "not found", is_error=True))
    assert events[-1].stop_reason.type == "end_turn"
    assert words(of_kind(events, "agent.message")[-1]) == "a tendon; not found"


def scenario_a_judge_decides():
    judged = {"type": "agent_toolset_20260401", "default_config": {"permission_policy": {"type": "auto"}}}
    session = new_session(tools=[judged])
    events = turn(session, message("three calls to judge"))
    calls = of_kind(events, "agent.tool_use")
    assert [call.evaluated_permission for call in calls] == ["allow", "deny", "ask"]
    evaluations = [call.evaluation.evaluated_permission for call in calls]
    assert [evaluation.type for evaluation in evaluations] == ["allow", "deny", "ask"]
    assert (evaluations[1].reason_code, evaluations[2].reason_code) == ("high_risk", "indeterminate")
    safe, risky, unclear = calls
    results = {result.tool_use_id: result for result in of_kind(events, "agent.tool_result")}
    assert not results[safe.id].is_error, words(results[safe.id])
    assert results[risky.id].is_error
    assert words(results[risky.id]) == "Permission to use write has been denied."
    assert events[-1].stop_reason.event_ids == [unclear.id], "the client decides what the judge cannot"
    refused(anthropic.BadRequestError, send, session, confirm(risky, "allow"))
    events = turn(session, confirm(unclear, "allow"))
    assert events[-1].stop_reason.type == "end_turn"
    assert words(of_kind(events, "agent.message")[-1]) == "Two of three: safe"


def scenario_a_judge_that_says_nothing():
    judged = {"type": "agent_toolset_20260401", "default_config": {"permission_policy": {"type": "auto"}}}
    session = new_session(tools=[judged])
    events = turn(session, message("a call that confuses the judge"))
    (call,) = of_kind(events, "agent.tool_use")
    assert (call.evaluated_permission, call.evaluation.evaluated_permission.reason_code) == ("ask", "indeterminate")
    assert events[-1].stop_reason.event_ids == [call.id]
    events = turn(session, confirm(call, "deny", deny_message="better not"))
    assert words(of_kind(events, "agent.tool_result")[-1]).endswith(": better not")


def scenario_confirmations():
    session = new_session(tools=[ASKS])
    events = turn(session, message("write two files"))
    calls = of_kind(events, "agent.tool_use")
    assert [(call.name, call.evaluated_permission) for call in calls] == [
        ("write", "ask"),
        ("write", "ask"),
        ("grep", "deny"),
    ]
    good, bad, disabled = calls
    assert good.evaluation.type == "always_ask" and disabled.evaluation is None
    assert events[-1].stop_reason.event_ids == [good.id, bad.id]
    (denied,) = of_kind(events, "agent.tool_result")
    assert denied.tool_use_id == disabled.id and denied.is_error
    assert words(denied) == "Permission to use grep has been denied."

    refused(anthropic.BadRequestError, send, session, confirm(disabled, "allow"))
    refused(anthropic.BadRequestError, send, session, confirm(good, "allow", deny_message="why?"))
    both = confirm(good, "allow"), confirm(bad, "deny", deny_message="not that name")
    events = turn(session, *both)
    answers = {answer.tool_use_id: answer for answer in of_kind(events, "agent.tool_result")}
    assert not answers[good.id].is_error, answers
    assert answers[bad.id].is_error and "not that name" in words(answers[bad.id])
    assert events[-1].stop_reason.type == "end_turn"
    assert words(of_kind(events, "agent.message")[-1]) == "good.txt holds: yes"


def scenario_an_interrupt_answers_what_is_open():
    session = new_session(tools=[ASKS])
    asked = turn(session, message("write two files"))
    events = turn(session, {"type": "user.interrupt"})
    assert events[-1].stop_reason.type == "end_turn"
    closed = of_kind(events, "agent.tool_result")
    assert [answer.tool_use_id for answer in closed] == asked[-1].stop_reason.event_ids
    assert all(answer.is_error and "interrupted" in words(answer) for answer in closed)
    assert not of_kind(events, "span.model_request_start"), "the model is not asked"
    refused(anthropic.BadRequestError, send, session, confirm(of_kind(asked, "agent.tool_use")[0], "allow"))


run(globals())
