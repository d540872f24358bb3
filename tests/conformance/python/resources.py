"""Agents, environments, sessions, threads and models as resources."""

from support import *


def scenario_agents_have_versions():
    agents = client.beta.agents
    agent = agents.create(name="first", model=MODEL, metadata={"team": "a"}, tools=[TOOLSET])
    assert agent.version == 1 and agent.model.id == MODEL and agent.model.effort.type
    assert agent.tools[0].default_config.permission_policy.type == "always_allow"
    same = agents.update(agent.id, name="first", version=1)
    assert same.version == 1, "what changes nothing makes no version"
    second = agents.update(agent.id, version=1, name="second", system="Be brief.", metadata={"team": None, "x": "y"})
    assert (second.version, second.name, second.system, second.metadata) == (2, "second", "Be brief.", {"x": "y"})
    stale = refused(anthropic.ConflictError, agents.update, agent.id, version=1, name="second")
    assert stale.status_code == 409 and stale.response.headers["x-should-retry"] == "false"
    assert agents.retrieve(agent.id).name == "second"
    assert agents.retrieve(agent.id, version=1).name == "first"
    refused(anthropic.NotFoundError, agents.retrieve, agent.id, version=3)
    assert [old.version for old in agents.versions.list(agent.id, limit=1)] == [2, 1]

    others = [agents.create(name=f"other {n}", model=MODEL).id for n in range(4)]
    listed = [found.id for found in agents.list(limit=2)]
    assert listed[:5] == [*others[::-1], agent.id], "newest first, over several pages"
    archived = agents.archive(agent.id)
    assert archived.archived_at and archived.version == 2
    assert agents.archive(agent.id) == archived
    refused(anthropic.BadRequestError, agents.update, agent.id, name="third")
    assert agent.id not in [found.id for found in agents.list(limit=100)]
    assert agent.id in [found.id for found in agents.list(limit=100, include_archived=True)]
    refused(anthropic.BadRequestError, client.beta.sessions.create, agent=agent.id, environment_id=environment().id)


def scenario_environments():
    environments = client.beta.environments
    made = environments.create(name="box", description="a box")
    assert made.config.type == "cloud" and made.config.networking.type == "unrestricted"
    refused(anthropic.ConflictError, environments.create, name="box")
    config = {"type": "cloud", "networking": {"type": "limited", "allowed_hosts": ["example.com"]}}
    changed = environments.update(made.id, config=config)
    assert changed.config.networking.allowed_hosts == ["example.com"] and changed.description == "a box"
    assert environments.retrieve(made.id) == changed
    assert made.id in [found.id for found in environments.list(limit=1)]
    assert environments.archive(made.id).archived_at
    assert made.id not in [found.id for found in environments.list()]
    agent = client.beta.agents.create(name="a", model=MODEL)
    refused(anthropic.BadRequestError, client.beta.sessions.create, agent=agent.id, environment_id=made.id)
    assert environments.delete(made.id).type == "environment_deleted"
    refused(anthropic.NotFoundError, environments.retrieve, made.id)


def scenario_sessions():
    sessions = client.beta.sessions
    agent = client.beta.agents.create(name="first", model=MODEL, tools=[TOOLSET])
    make = {"agent": {"type": "agent", "id": agent.id, "version": 1}, "environment_id": environment().id}
    made = [sessions.create(title=f"session {n}", metadata={"n": str(n)}, **make) for n in range(5)]
    client.beta.agents.update(agent.id, name="second")
    pinned = sessions.create(**make)
    assert (pinned.agent.version, pinned.agent.name) == (1, "first")
    newest = sessions.create(agent=agent.id, environment_id=environment().id)
    assert (newest.agent.version, newest.agent.name) == (2, "second")
    overridden = sessions.create(
        agent={"type": "agent_with_overrides", "id": agent.id, "system": "Only here.", "tools": []},
        environment_id=environment().id,
    )
    assert (overridden.agent.system, overridden.agent.tools) == ("Only here.", [])

    ids = [session.id for session in made]
    of_agent = {"agent_id": agent.id, "agent_version": 1, "order": "asc"}
    assert [found.id for found in sessions.list(limit=2, **of_agent)] == [*ids, pinned.id]
    first = sessions.list(limit=2, **of_agent)
    assert first.prev_page is None
    second = first.get_next_page()
    assert [found.id for found in second.data] == ids[2:4]
    back = sessions.list(limit=2, page=second.prev_page, **of_agent)
    assert [found.id for found in back.data] == ids[:2] and back.prev_page is None

    with sessions.events.stream(ids[0]) as stream:
        updated = sessions.update(ids[0], title="renamed", metadata={"n": None, "more": "1"})
        seen = until(stream, "session.updated")[-1]
    assert (updated.title, updated.metadata) == ("renamed", {"more": "1"})
    assert seen.title == "renamed" and seen.metadata == {"more": "1"}
    assert "agent" not in seen.to_dict(), "only what changed is told"
    assert sessions.retrieve(ids[0]).title == "renamed"
    narrowed = sessions.update(ids[0], agent={"tools": []})
    assert narrowed.agent.tools == [] and client.beta.agents.retrieve(agent.id, version=1).tools

    with sessions.events.stream(ids[1]) as stream:
        archived = sessions.archive(ids[1])
        assert kinds(list(stream)) == ["session.thread_status_terminated", "session.status_terminated"]
    assert archived.status == "terminated" and archived.archived_at
    refused(anthropic.BadRequestError, sessions.events.send, ids[1], events=[message("too late")])
    assert kinds(sessions.events.list(ids[1]))[-1] == "session.status_terminated", "history stays"
    assert ids[1] not in [found.id for found in sessions.list(**of_agent)]
    assert ids[1] in [found.id for found in sessions.list(include_archived=True, statuses=["terminated"], **of_agent)]

    with sessions.events.stream(ids[2]) as stream:
        assert sessions.delete(ids[2]).type == "session_deleted"
        assert kinds(list(stream)) == ["session.deleted"], "the last event, and the end"
    refused(anthropic.NotFoundError, sessions.retrieve, ids[2])
    refused(anthropic.NotFoundError, sessions.events.list, ids[2])
    assert list(sessions.resources.list(ids[3])) == []


def scenario_a_running_session_is_kept():
    session = new_session()
    with client.beta.sessions.events.stream(session.id) as stream:
        send(session, message("never answer"))
        until(stream, "span.model_request_start")
        refused(anthropic.BadRequestError, client.beta.sessions.delete, session.id)
        refused(anthropic.BadRequestError, client.beta.sessions.archive, session.id)
        tools = {"tools": []}
        refused(anthropic.BadRequestError, client.beta.sessions.update, session.id, agent=tools)
        send(session, {"type": "user.interrupt"})
        until(stream, "session.status_idle")
    client.beta.sessions.delete(session.id)


def scenario_threads():
    session = new_session()
    threads = client.beta.sessions.threads
    (primary,) = threads.list(session.id)
    assert (primary.session_id, primary.status, primary.parent_thread_id) == (session.id, "idle", None)
    assert primary.usage is None and primary.stats is None, "it has not run"
    with threads.events.stream(primary.id, session_id=session.id) as stream:
        send(session, message("say a word"))
        live = until(stream, "session.thread_status_idle")
    listed = list(threads.events.list(primary.id, session_id=session.id, limit=2))
    assert [event.id for event in listed] == [event.id for event in live if event.processed_at]
    assert not {"session.usage", "session.status_idle"} & set(kinds(listed))
    (primary,) = threads.list(session.id)
    again = threads.retrieve(primary.id, session_id=session.id)
    again.stats.duration_seconds = primary.stats.duration_seconds  # the one thing that goes on
    assert primary == again
    assert primary.usage.output_tokens > 0 and primary.stats.active_seconds > 0
    refused(anthropic.BadRequestError, threads.archive, primary.id, session_id=session.id)
    refused(anthropic.NotFoundError, threads.retrieve, "sthr_none", session_id=session.id)


def scenario_models():
    models = list(client.models.list(limit=3))
    ids = [model.id for model in models]
    assert len(ids) == len(set(ids)) > 3 and MODEL in ids, ids
    assert client.models.retrieve(MODEL).display_name
    page = client.models.list(limit=2, after_id=ids[1])
    assert [model.id for model in page.data] == ids[2:4]
    refused(anthropic.NotFoundError, client.models.retrieve, "claude-none")


run(globals())
