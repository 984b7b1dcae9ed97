"""Show live power of a system: python live.py SYSTEM_ID.

The plan has to include live streams; Enphase bills each one.
"""

import asyncio
import sys

from account import open_client


async def main(system_id: int) -> None:
    """Open a stream of 30 seconds, and close it after three frames."""
    async with open_client() as client, client.stream(system_id, duration=30) as stream:
        count = 0
        async for frame in stream:
            print(
                f"{frame.sampled_at:%H:%M:%S} UTC: panels {frame.production} W, "
                f"grid {frame.grid} W, battery {frame.battery} W"
            )
            count += 1
            if count == 3:
                break


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
