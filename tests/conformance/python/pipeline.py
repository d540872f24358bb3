"""A coordinator with three agents: plan, code, review, and once more after a rejection."""

from support import *

READERS = ["bash", "read", "glob", "grep"]


def readers_only():
    configs = [{"name": name, "enabled": True} for name in READERS]
    return {**TOOLSET, "default_config": {"enabled": False}, "configs": configs}


def without_writing():
    return {**TOOLSET, "configs": [{"name": name, "enabled": False} for name in ("write", "edit")]}


def pipeline(**fields):
    def agent(name, system, tools):
        return client.beta.agents.create(name=name, model=MODEL, system=system, tools=[tools])

    planner = agent("planner", "You plan for the pipeline.", readers_only())
    coder = agent("coder", "You code for the pipeline.", TOOLSET)
    reviewer = agent("reviewer", "You review for the pipeline.", without_writing())
    team = [{"type": "agent", "id": one.id, "version": one.version} for one in (planner, coder, reviewer)]
    lead = client.beta.agents.create(
        name="lead",
        model=MODEL,
        system="You lead the pipeline.",
        tools=[TOOLSET],
        **(fields or {"multiagent": {"type": "coordinator", "agents": team}}),
        **({"extra_body": {"callable_agents": team}} if fields else {}),
    )
    return lead


def work(lead):
    session = client.beta.sessions.create(agent=lead.id, environment_id=environment().id)
    return session, turn(session, message("add two numbers"))


def scenario_a_rejection_goes_back_to_the_same_coder():
    session, events = work(pipeline())
    assert events[-1].stop_reason.type == "end_turn", events[-1]
    created = of_kind(events, "session.thread_created")
    assert [event.agent_name for event in created] == ["planner", "coder", "reviewer"]
    sent = of_kind(events, "agent.thread_message_sent")
    assert [event.to_agent_name for event in sent] == ["planner", "coder", "reviewer", "coder", "reviewer"]
    received = of_kind(events, "agent.thread_message_received")
    assert [event.from_agent_name for event in received] == ["planner", "coder", "reviewer", "coder", "reviewer"]
    assert "REJECT: 2 and 3 make -1" in words(received[2]), words(received[2])
    assert words(received[4]) == "APPROVE: it adds."
    assert not of_kind(events, "agent.tool_use")[:-1], "the session's stream has its own agent's calls alone"
    assert words(of_kind(events, "agent.message")[-1]).strip() == "Handed over: echo $(($1 + $2))"

    threads = client.beta.sessions.threads
    primary, planner, coder, reviewer = threads.list(session.id)
    assert [one.agent.name for one in (primary, planner, coder, reviewer)] == ["lead", "planner", "coder", "reviewer"]
    assert primary.parent_thread_id is None and coder.parent_thread_id == primary.id
    assert all(one.status == "idle" for one in (primary, planner, coder, reviewer))
    assert coder.stats.startup_seconds == 0 and coder.usage.output_tokens > 0
    total = client.beta.sessions.retrieve(session.id).usage
    each = [one.usage.output_tokens for one in (primary, planner, coder, reviewer)]
    assert total.output_tokens == sum(each), (total.output_tokens, each)

    story = list(threads.events.list(coder.id, session_id=session.id))
    calls = of_kind(story, "agent.tool_use")
    assert [call.name for call in calls] == ["write", "write"], "one coder, with its history"
    assert [words(event) for event in of_kind(story, "agent.message")] == ["Written.", "Mended."]
    asked = of_kind(story, "agent.thread_message_received")
    assert len(asked) == 2 and "The review says" in words(asked[1])
    assert asked[0].from_agent_name is None, "the primary thread has no name"
    assert not of_kind(story, "session.usage")
    plan = list(threads.events.list(planner.id, session_id=session.id))
    (denied,) = [result for result in of_kind(plan, "agent.tool_result") if result.is_error]
    assert "write has been denied" in words(denied)
    everything = list(client.beta.sessions.events.list(session.id))
    assert [event.id for event in everything] == [event.id for event in events if event.processed_at]


def scenario_the_older_name_of_the_list_of_agents():
    lead = pipeline(description="as older clients say it")
    assert lead.multiagent.type == "coordinator" and len(lead.multiagent.agents) == 3
    session, events = work(lead)
    assert events[-1].stop_reason.type == "end_turn"


def scenario_a_threads_own_stream():
    session = client.beta.sessions.create(agent=pipeline().id, environment_id=environment().id)
    threads = client.beta.sessions.threads
    with client.beta.sessions.events.stream(session.id) as stream:
        send(session, message("add two numbers"))
        created = until(stream, "session.thread_created", agent_name="reviewer")[-1]
        with threads.events.stream(created.session_thread_id, session_id=session.id) as own:
            until(stream, "session.status_idle")
            listed = list(threads.events.list(created.session_thread_id, session_id=session.id))
            live = []
            for event in own:
                live.append(event)
                if event.id == listed[-1].id:
                    break
    assert [event.id for event in live] == [event.id for event in listed][-len(live):]
    thread = threads.archive(created.session_thread_id, session_id=session.id)
    assert thread.status == "terminated" and thread.archived_at is not None
    assert threads.archive(thread.id, session_id=session.id).status == "terminated", "once is enough"
    assert [one.status for one in threads.list(session.id)] == ["idle", "idle", "idle", "terminated"]
    (ended,) = threads.list(session.id, statuses=["terminated"])
    assert ended.id == thread.id and ended.agent.name == "reviewer"
    first = threads.list(session.id, limit=3)
    assert len(first.data) == 3 and [one.id for one in first][3] == thread.id


run(globals())
