"""Turns: real tools on a real workspace, previews, lists, interrupts."""

from support import *

TURN = [
    "user.message",
    "user.message",
    "session.thread_status_running",
    "session.status_running",
    "span.model_request_start",
    "agent.thinking",
    "agent.message",
    "agent.tool_use",
    "agent.tool_use",
    "span.model_request_end",
    "agent.tool_result",
    "agent.tool_result",
]


def scenario_a_turn_with_tools():
    session = new_session()
    assert session.status == "idle"
    events = turn(session, message("use every tool"))
    assert kinds(events)[: len(TURN)] == TURN, kinds(events)
    assert kinds(events)[-3:] == ["session.thread_status_idle", "session.usage", "session.status_idle"]
    assert type(events[-1]).__name__ == "BetaManagedAgentsSessionStatusIdleEvent"
    assert events[-1].stop_reason.type == "end_turn"
    waiting, taken = events[:2]
    assert waiting.id == taken.id and waiting.processed_at is None and taken.processed_at is not None

    calls = of_kind(events, "agent.tool_use")
    results = {result.tool_use_id: result for result in of_kind(events, "agent.tool_result")}
    assert [call.name for call in calls] == ["write", "write", "read", "edit", "grep", "glob"]
    assert all(call.evaluated_permission == "allow" for call in calls)
    assert set(results) == {call.id for call in calls}
    assert not any(result.is_error for result in results.values())
    said = {call.name: words(results[call.id]) for call in calls}
    assert said["read"] == "one\ntwo\nthree\n"
    assert said["grep"] == "/workspace/notes/a.txt:2:TWO"
    assert sorted(said["glob"].splitlines()) == ["/workspace/notes/a.txt", "/workspace/notes/b.txt"]
    assert words(of_kind(events, "agent.message")[-1]) == "The changed line: /workspace/notes/a.txt:2:TWO"

    session = client.beta.sessions.retrieve(session.id)
    assert session.status == "idle"
    assert session.usage.input_tokens > 0 and session.usage.output_tokens > 0
    assert session.usage.to_dict() == events[-2].usage.to_dict(), "the last event told the final usage"
    assert session.stats.active_seconds > 0


def scenario_lists_show_what_the_stream_showed():
    session = new_session()
    live = [event for event in turn(session, message("use every tool")) if event.processed_at]
    ids = [event.id for event in live]
    lists = client.beta.sessions.events

    assert [event.id for event in lists.list(session.id)] == ids
    first = lists.list(session.id, limit=7)
    assert len(first.data) == 7 and first.has_next_page()
    assert [event.id for event in first] == ids, "the SDK follows the cursors"
    assert [event.id for event in lists.list(session.id, limit=5, order="desc")] == ids[::-1]
    wanted = ["agent.tool_use", "agent.tool_result"]
    picked = [event.id for event in lists.list(session.id, types=wanted, limit=5)]
    assert picked == [event.id for event in live if event.type in wanted]
    middle = live[9].processed_at
    later = [event.id for event in lists.list(session.id, created_at_gt=middle)]
    assert later == [event.id for event in live if event.processed_at > middle]
    until_then = [event.id for event in lists.list(session.id, created_at_lte=middle)]
    assert until_then == [event.id for event in live if event.processed_at <= middle]


def scenario_previews():
    session = new_session()
    wanted = ["agent.message", "agent.thinking"]
    with client.beta.sessions.events.stream(session.id, event_deltas=wanted) as stream:
        send(session, message("think and stop in the middle"))
        events = until(stream, "event_delta")
        release_model()
        events += until(stream, "session.status_idle")
    thought, said = of_kind(events, "agent.thinking") + of_kind(events, "agent.message")
    starts = of_kind(events, "event_start")
    assert [(start.event.type, start.event.id) for start in starts] == [
        ("agent.thinking", thought.id),
        ("agent.message", said.id),
    ]
    deltas = of_kind(events, "event_delta")
    assert {delta.event_id for delta in deltas} == {said.id}
    assert all(delta.delta.type == "content_delta" and delta.delta.index == 0 for delta in deltas)
    preview = "".join(delta.delta.content.text for delta in deltas)
    assert preview and words(said).startswith(preview), preview
    stored = list(client.beta.sessions.events.list(session.id))
    assert not {"event_start", "event_delta"} & set(kinds(stored)), "previews are never stored"


def scenario_interrupt_and_go_on():
    session = new_session()
    with client.beta.sessions.events.stream(session.id) as stream:
        send(session, message("never answer"))
        until(stream, "span.model_request_start")
        assert client.beta.sessions.retrieve(session.id).status == "running"
        sent = send(session, {"type": "user.interrupt"}, message("answer now"))
        assert [event.processed_at for event in sent.data] == [None, None]
        stopped = until(stream, "session.status_idle")
        went_on = until(stream, "session.status_idle")
    assert stopped[-1].stop_reason.type == "end_turn"
    assert of_kind(stopped, "user.interrupt")[-1].processed_at is not None
    assert [end.is_error for end in of_kind(stopped, "span.model_request_end")] == [True]
    assert not of_kind(stopped, "agent.message"), "nothing of the stopped answer is left"
    assert words(of_kind(went_on, "agent.message")[0]) == "Here I am."
    listed = list(client.beta.sessions.events.list(session.id))
    order = [kind for kind in kinds(listed) if kind.startswith("user.")]
    assert order == ["user.message", "user.interrupt", "user.message"], order


def scenario_a_session_starts_with_its_first_events():
    session = new_session(initial_events=[message("say a word")], title="begun")
    assert session.status == "running" and session.title == "begun"
    events = until_idle(session)
    assert kinds(events)[0] == "user.message"
    assert words(of_kind(events, "agent.message")[0]) == "A word."


def scenario_the_model_refuses():
    session = new_session()
    events = turn(session, message("something forbidden"))
    assert events[-1].stop_reason.type == "refusal"
    assert events[-1].stop_details.category == "cyber"
    assert turn(session, message("say a word"))[-1].stop_reason.type == "end_turn"


def scenario_the_model_fails_for_good():
    session = new_session()
    events = turn(session, message("a bad request"))
    assert events[-1].stop_reason.type == "retries_exhausted"
    (error,) = of_kind(events, "session.error")
    assert error.error.type == "model_request_failed_error"
    assert error.error.retry_status.type == "exhausted"
    assert turn(session, message("say a word"))[-1].stop_reason.type == "end_turn"


run(globals())
