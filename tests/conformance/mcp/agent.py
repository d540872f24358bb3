"""An agent with an MCP server, made and led with the official SDK, unmodified."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "python"))
from support import *  # noqa: E402

URL = os.environ["SINEW_TEST_MCP_URL"]
TOKEN = os.environ["SINEW_TEST_MCP_TOKEN"]


def confirm(call, answer):
    return {"type": "user.tool_confirmation", "tool_use_id": call.id, "result": answer}


def scenario_an_agent_with_an_mcp_server():
    vault = client.beta.vaults.create(display_name="of the user")
    credential = client.beta.vaults.credentials.create(
        vault.id, auth={"type": "static_bearer", "token": TOKEN, "mcp_server_url": URL}
    )
    assert TOKEN not in credential.model_dump_json()
    agent = client.beta.agents.create(
        name="user of things",
        model=MODEL,
        mcp_servers=[{"type": "url", "name": "things", "url": URL}],
        tools=[
            {
                "type": "mcp_toolset",
                "mcp_server_name": "things",
                "configs": [
                    {"name": "picture", "permission_policy": {"type": "always_allow"}},
                    {"name": "broken", "enabled": False},
                ],
            }
        ],
    )
    session = client.beta.sessions.create(
        agent=agent.id, environment_id=environment().id, vault_ids=[vault.id]
    )
    events = turn(session, message("please add"))
    (call,) = of_kind(events, "agent.mcp_tool_use")
    assert (call.mcp_server_name, call.name, call.input) == ("things", "add", {"a": 2, "b": 3})
    assert (call.evaluated_permission, call.evaluation.type) == ("ask", "always_ask"), "the default of a server's tools"
    assert events[-1].stop_reason.event_ids == [call.id]
    events = turn(session, confirm(call, "allow"))
    (result,) = of_kind(events, "agent.mcp_tool_result")
    assert (result.mcp_tool_use_id, result.is_error, words(result)) == (call.id, False, "5")
    assert words(of_kind(events, "agent.message")[-1]) == "It said: 5"

    events = turn(session, message("please picture"))
    (call,) = of_kind(events, "agent.mcp_tool_use")
    assert call.evaluated_permission == "allow"
    (result,) = of_kind(events, "agent.mcp_tool_result")
    assert result.content[0].type == "image" and result.content[0].source.media_type == "image/png"

    events = turn(session, message("please broken"))
    (call,) = of_kind(events, "agent.mcp_tool_use")
    assert call.evaluated_permission == "deny" and not getattr(call, "evaluation", None), "it is not enabled"
    (result,) = of_kind(events, "agent.mcp_tool_result")
    assert result.is_error and words(result) == "Permission to use broken has been denied."


run(globals())
