"""The SDK's own environment worker, unmodified: serves the sessions of one environment until it is killed."""

import asyncio
import os

from anthropic import AsyncAnthropic


async def main():
    client = AsyncAnthropic(base_url=os.environ["SINEW_TEST_URL"], api_key="none")
    worker = client.beta.environments.work.worker(
        environment_id=os.environ["SINEW_TEST_ENVIRONMENT"],
        environment_key=os.environ["SINEW_TEST_KEY"],
        workdir=os.environ["SINEW_TEST_FOLDER"],
        max_idle=1,
    )
    await worker.run()


asyncio.run(main())
