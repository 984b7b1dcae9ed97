"""Sign in once: python sign_in.py."""

import asyncio
from urllib.parse import urlencode

from account import CLIENT_ID, REDIRECT_URI, URL, StoredTokens
from aiohttp import ClientSession


async def main() -> None:
    """Read the code that Enphase shows after the sign-in, and store the tokens."""
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
    }
    print(f"Open {URL}/oauth/authorize?{urlencode(query)}", flush=True)
    code = await asyncio.to_thread(input, "Enter the code: ")
    grant = {
        "grant_type": "authorization_code",
        "code": code.strip(),
        "redirect_uri": REDIRECT_URI,
    }
    async with ClientSession() as session:
        await StoredTokens(session).request(grant)
    print("Signed in")


if __name__ == "__main__":
    asyncio.run(main())
