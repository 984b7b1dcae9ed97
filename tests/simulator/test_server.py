"""The demo cloud, and the program that serves it."""

import asyncio
from datetime import datetime
import re
import signal
import sys

from aiohttp import ClientSession, encode_basic_auth
import pytest

from simulator import Cloud, demo_cloud
from simulator.server import options, serve, welcome

from .conftest import NOON


def test_the_demo_has_accounts_with_all_numbers_of_systems() -> None:
    """One, two and none; and an application per plan."""
    cloud = demo_cloud(lambda: NOON)
    plans = [application.plan.name for application in cloud.applications]
    assert plans == ["Watt", "Kilowatt", "Megawatt", "Partner"]
    owned = {
        account.email: [system for system in cloud.systems if system.account is account]
        for account in cloud.accounts
    }
    one, two, none = owned.values()
    assert one[0].plant.storage is not None
    assert none == []
    cabin, farm = two
    assert (cabin.connection, cabin.plant.storage) == ("cellular", None)
    assert farm.plant.storage is not None
    assert farm.plant.generator_w > 0


def test_welcome_has_address_and_credentials() -> None:
    """Of all plans, or of one."""
    cloud = demo_cloud(lambda: NOON)
    text = welcome(cloud, "http://127.0.0.1:1")
    for application in cloud.applications:
        assert application.api_key in text
        assert application.client_secret in text
    for account in cloud.accounts:
        assert account.email in text
        assert account.password in text
    assert text.count("client id") == 4
    assert welcome(cloud, "", "watt").count("client id") == 1


async def url_of(output: asyncio.StreamReader) -> str:
    """Return the printed address of the program."""
    line = (await output.readline()).decode()
    match = re.search(r"http://\S+", line)
    assert match, line
    return match[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_program_ends_cleanly(
    socket_enabled: None, number: signal.Signals
) -> None:
    """Interrupted during a live stream, it ends without output."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    assert program.stderr is not None
    url = await url_of(program.stdout)
    async with ClientSession() as session:
        token = await signed_in(session, url)
        headers = {"Authorization": f"Bearer {token}", "key": "demo-kilowatt-key"}
        stream = await session.get(
            f"{url}/api/v4/systems/4100001/live_data", headers=headers
        )
        assert await stream.content.readuntil(b"\n\n")
        program.send_signal(number)
        assert await program.wait() == 0
        stream.close()
    assert await program.stderr.read() == b""


async def signed_in(session: ClientSession, url: str) -> str:
    """Sign in as the demo's first owner and return an access token."""
    response = await session.post(
        f"{url}/oauth/authorize",
        data={
            "response_type": "code",
            "client_id": "demo-kilowatt",
            "redirect_uri": "http://127.0.0.1/",
            "email": "olivia@example.com",
            "password": "sunshine",
        },
        allow_redirects=False,
    )
    code = response.headers["Location"].partition("code=")[2]
    credentials = encode_basic_auth("demo-kilowatt", "demo-kilowatt-secret")
    response = await session.post(
        f"{url}/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "http://127.0.0.1/",
        },
        headers={"Authorization": credentials},
    )
    document = await response.json()
    return str(document["access_token"])


async def test_clock_of_the_program(
    socket_enabled: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clock has the start and the speed of the options."""
    chosen = options(["--port", "0", "--start", "2026-06-17T12:00", "--speed", "0"])
    serving = asyncio.create_task(serve(chosen))
    text = ""
    while "Ctrl-C" not in text:
        assert not serving.done()
        await asyncio.sleep(0)
        text += capsys.readouterr().out
    match = re.search(r"http://\S+", text)
    assert match
    async with ClientSession() as session:
        response = await (await session.get(f"{match[0]}/_control/clock")).json()
    assert (
        datetime.fromisoformat(response["now"]).isoformat()
        == "2026-06-17T12:00:00+00:00"
    )
    assert response["speed"] == 0
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


def test_default_clock_is_the_present() -> None:
    """Without a clock a cloud uses the current time."""
    cloud = Cloud()
    assert cloud.now().tzinfo is not None
