"""The SDK's own session tool runner, unmodified, with an API key: serves one session until it is quiet."""

import asyncio
import os

from anthropic import AsyncAnthropic
from anthropic.lib.tools.agent_toolset import AgentToolContext, beta_agent_toolset_20260401


async def main():
    client = AsyncAnthropic(base_url=os.environ["SINEW_TEST_URL"], api_key="any")
    async with AgentToolContext(workdir=os.environ["SINEW_TEST_FOLDER"]) as context:
        calls = client.beta.sessions.events.tool_runner(
            os.environ["SINEW_TEST_SESSION"], tools=beta_agent_toolset_20260401(context), max_idle=1
        )
        names = [(call.name, call.posted, call.is_error) async for call in calls]
    assert names == [("bash", True, False), ("read", True, False)], names


asyncio.run(main())
