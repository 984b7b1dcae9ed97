"""Show all panels of a system: python panels.py SYSTEM_ID.

The plan has to include Device Level Monitoring.
"""

import asyncio
import sys

from account import open_client
from enphase_cloud_api import interval_query
from enphase_cloud_api.endpoints import MICROS_TELEMETRY


async def main(system_id: int) -> None:
    """Make a call per twenty microinverters, for their energy of today."""
    async with open_client() as client:
        query = interval_query(None)
        panels = await client.pages(MICROS_TELEMETRY, query=query, system_id=system_id)
    for panel in panels:
        energy = sum(each.energy or 0 for each in panel.energy.intervals)
        print(f"{panel.serial_number}: {energy:.0f} Wh today")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
