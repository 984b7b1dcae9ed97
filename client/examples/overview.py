"""Show all systems of the account: python overview.py."""

import asyncio

from account import open_client
from enphase_cloud_api.endpoints import SEARCH_SYSTEMS, SUMMARY


async def main() -> None:
    """Make a call per thousand systems, and one per system."""
    async with open_client() as client:
        for system in await client.pages(SEARCH_SYSTEMS):
            summary = await client.get(SUMMARY, system_id=system.system_id)
            print(
                f"{system.system_id} {system.name}: {summary.current_power} W now, "
                f"{summary.energy_today} Wh today, status {summary.status}"
            )


if __name__ == "__main__":
    asyncio.run(main())
