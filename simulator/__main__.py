"""Serve the demo world: python -m simulator."""

import asyncio

from .server import options, serve

if __name__ == "__main__":
    asyncio.run(serve(options()))
