"""Makes the calls of plan.json with the official Python SDK, blocking or asyncio: `walk.py` or `walk.py async`.

The blocking client asks for raw responses, the other one for objects. Lists are read to their end, page by page.
"""

import asyncio
import inspect
import json
import os
import sys

import anthropic

IS_ASYNC = sys.argv[1:] == ["async"]
CLIENT = "asyncio" if IS_ASYNC else "blocking"
STREAM_EVENTS_MAX = 1000

scenario = ""


def name_scenario(request):
    request.headers["x-scenario"] = scenario


async def name_scenario_async(request):
    name_scenario(request)


def connect():
    address = {"base_url": os.environ["SINEW_TEST_URL"], "api_key": "dummy", "max_retries": 0}
    if IS_ASYNC:
        http = anthropic.DefaultAsyncHttpxClient(event_hooks={"request": [name_scenario_async]})
        return anthropic.AsyncAnthropic(http_client=http, **address)
    return anthropic.Anthropic(http_client=anthropic.DefaultHttpxClient(event_hooks={"request": [name_scenario]}), **address)


client = connect()
known = {"model": os.environ["SINEW_TEST_MODEL_ID"], "client": CLIENT}


def filled(value):
    """Puts what earlier steps returned in the place of `$name.field`."""
    if isinstance(value, dict) and "$file" in value:
        name, content = value["$file"]
        return (name, filled(content).encode(), "text/plain")
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, str) and value.startswith("$"):
        found, *fields = value[1:].split(".")
        found = known[found]
        for field in fields:
            found = found[int(field)] if field.isdigit() else getattr(found, field)
        return found
    if isinstance(value, str):
        return value.replace("$client", CLIENT)
    return value


def method(step):
    *path, name = step["call"].split(".")
    resource = client
    for part in path:
        resource = getattr(resource, part)
    is_plain = IS_ASYNC or "least" in step or "until" in step or "starts" in step
    call = getattr(resource if is_plain else resource.with_raw_response, name)
    arguments = [filled(step["id"])] if "id" in step else []
    return lambda: call(*arguments, **filled(step.get("params", {})))


async def settled(answer):
    return await answer if inspect.isawaitable(answer) else answer


async def each(items):
    if hasattr(items, "__aiter__"):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


async def take(step):
    call = method(step)
    if "refused" in step:
        try:
            answer = await settled(call())
        except anthropic.APIStatusError as error:
            assert error.status_code == step["refused"], f"{error.status_code}: {error}"
            assert error.request_id and error.body["type"] == "error", error.body
            return
        raise AssertionError(f"not refused: {answer}")
    if "least" in step:
        # A list of the asyncio client is awaited page by page by iterating it.
        items = [item async for item in each(call())]
        # The versions of one agent share its id.
        ids = [(getattr(item, "id", None) or item.path, getattr(item, "version", None)) for item in items]
        assert len(ids) == len(set(ids)) >= step["least"], ids
        known[step.get("as", "")] = items
        return
    if "until" in step:
        stream = await settled(call())
        await take(step["meanwhile"])
        count = 0
        async for event in each(stream):
            count += 1
            assert count < STREAM_EVENTS_MAX, "the stream does not come to its point"
            if event.type == step["until"]:
                break
        await settled(stream.close())
        return
    answer = await settled(call())
    if "starts" in step:
        content = await settled(answer.read())
        assert content.startswith(step["starts"].encode()), content[:20]
        return
    if not IS_ASYNC:
        assert answer.headers["request-id"].startswith("req_"), answer.headers
        answer = answer.parse()
    assert (answer is None) == step.get("null", False), answer
    known[step.get("as", "")] = answer


async def walk():
    global scenario
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "plan.json"), encoding="utf-8") as file:
        plan = json.load(file)
    for part in plan:
        scenario = part["scenario"]
        for number, step in enumerate(part["steps"], 1):
            try:
                await take(step)
            except Exception as error:
                raise SystemExit(f"{CLIENT}, {scenario}, step {number}, {json.dumps(step)[:300]}:\n{type(error).__name__}: {error}")
        print("ok", CLIENT, scenario, flush=True)


asyncio.run(walk())
