"""Set the reserve of the battery for outages: python reserve.py SYSTEM_ID PERCENT.

The plan has to include System Configurations.
"""

import asyncio
import sys

from account import open_client
from enphase_cloud_api.endpoints import BATTERY_SETTINGS, SET_BATTERY_SETTINGS


async def main(system_id: int, reserve: int) -> None:
    """Read the settings, and write them with a new reserve."""
    async with open_client() as client:
        settings = await client.get(BATTERY_SETTINGS, system_id=system_id)
        body = settings._replace(reserve=reserve).body()
        settings = await client.put(SET_BATTERY_SETTINGS, body, system_id=system_id)
    print(f"{settings.mode} with a reserve of {settings.reserve} %")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
