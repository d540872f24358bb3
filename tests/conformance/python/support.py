"""What the scenarios share. The SDK is the official one, unmodified: it gets an address and a dummy key."""

import json
import os
import traceback
import urllib.request

import anthropic

MODEL = "claude-sonnet-4-6"
TOOLSET = {"type": "agent_toolset_20260401"}

_scenario = ""


def _name_scenario(request):
    request.headers["x-scenario"] = _scenario


client = anthropic.Anthropic(
    base_url=os.environ["SINEW_TEST_URL"],
    api_key="dummy",
    http_client=anthropic.DefaultHttpxClient(event_hooks={"request": [_name_scenario]}),
)


def text(words):
    return {"type": "text", "text": words}


def message(words):
    return {"type": "user.message", "content": [text(words)]}


def send(session, *events):
    return client.beta.sessions.events.send(session.id, events=list(events))


_environments = []


def environment():
    if not _environments:
        _environments.append(client.beta.environments.create(name=f"of process {os.getpid()}"))
    return _environments[0]


def new_session(tools=(TOOLSET,), **fields):
    agent = client.beta.agents.create(name="tester", model=MODEL, tools=list(tools))
    return client.beta.sessions.create(agent=agent.id, environment_id=environment().id, **fields)


def until(stream, kind, **fields):
    """Reads up to the first event of this type and with these fields, and returns all of them."""
    seen = []
    for event in stream:
        seen.append(event)
        if event.type == kind and all(getattr(event, name) == value for name, value in fields.items()):
            return seen
    raise AssertionError(f"the stream ended before {kind}: {kinds(seen)}")


def until_idle(session):
    """Waits for the end of a turn without knowing how far it is: first the stream, then the list."""
    with client.beta.sessions.events.stream(session.id) as stream:
        events = list(client.beta.sessions.events.list(session.id))
        if events[-1].type != "session.status_idle":
            until(stream, "session.status_idle")
            events = list(client.beta.sessions.events.list(session.id))
    return events


def turn(session, *events):
    """Sends events and returns what the stream shows until the session stops."""
    with client.beta.sessions.events.stream(session.id) as stream:
        send(session, *events)
        return until(stream, "session.status_idle")


def kinds(events):
    return [event.type for event in events]


def of_kind(events, kind):
    return [event for event in events if event.type == kind]


def words(event):
    return "\n".join(block.text for block in event.content)


def refused(error, call, *arguments, **fields):
    """Makes a call that must fail with this exception, and returns it."""
    try:
        answer = call(*arguments, **fields)
    except error as caught:
        assert caught.request_id and caught.request_id.startswith("req_"), caught.request_id
        assert caught.body["type"] == "error" and caught.body["request_id"] == caught.request_id
        return caught
    raise AssertionError(f"not refused: {answer}")


def release_model():
    """Lets the model go on that stops in the middle of an answer, once it does."""
    address = os.environ["SINEW_TEST_MODEL"]
    while json.load(urllib.request.urlopen(address + "/mock/state"))["hanging"] == 0:
        pass
    urllib.request.urlopen(urllib.request.Request(address + "/mock/release", method="POST"))


def run(scenarios):
    """Runs every function whose name begins with `scenario_`, and prints the names."""
    global _scenario
    failed = False
    for name, scenario in list(scenarios.items()):
        if name.startswith("scenario_"):
            _scenario = name.removeprefix("scenario_").replace("_", " ")
            try:
                scenario()
                print("ok", name, flush=True)
            except Exception:
                failed = True
                traceback.print_exc()
                print("FAILED", name, flush=True)
    raise SystemExit(failed)
