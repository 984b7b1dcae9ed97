"""Live streams: the documented one, and faulty ones."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
import json
import re
from typing import Any

from aiohttp import ClientError, ClientResponse
import pytest

from simulator import Fault, System

from .conftest import NOON, World

pytestmark = pytest.mark.usefixtures("without_waiting")


def path(system: System) -> str:
    """Return the path of a system's stream."""
    return f"/{system.system_id}/live_data"


async def stream(
    world: World, system: System, duration: str | None = None
) -> ClientResponse:
    """Open a stream."""
    headers = dict(world.headers)
    if duration is not None:
        headers["duration"] = duration
    return await world.request(path(system), headers=headers)


def events(text: str) -> list[Any]:
    """Read the events of a stream with usual lines."""
    return [json.loads(line[6:]) for line in text.splitlines() if line[:6] == "data: "]


async def pieces(response: ClientResponse) -> AsyncIterator[bytes]:
    """Yield data until the connection breaks."""
    try:
        async for piece in response.content.iter_any():
            yield piece
    except ClientError:
        return


async def test_stream_as_documented(world: World, system: System) -> None:
    """Thirty frames, a second apart, with the actual values of their moments."""
    response = await stream(world, system)
    assert response.status == 200
    assert response.content_type == "text/event-stream"
    found = events(await response.text())
    assert len(found) == 30
    assert found == [frame.payload for frame in world.cloud.frames]
    real = world.cloud.truth(system.system_id)
    for frame, sent in zip(found, world.cloud.frames, strict=True):
        now = real.power(sent.at)
        assert now.soc is not None
        assert frame["type"] == "response"
        assert frame["timestamp_epoch"] == int(sent.at.timestamp() * 1000)
        assert frame["timestamp_utc"] == sent.at.strftime("%Y-%m-%d %H:%M:%S.000")
        assert frame["data"] == {
            "battery_mode": "Self-consumption",
            "battery_power": now.battery,
            "battery_soc": round(now.soc),
            "consumption_power": now.consumption,
            "envoy_serial_number": [system.gateway_serial],
            "generator_power": 0,
            "grid_power": now.grid,
            "grid_status": "On Grid",
            "pv_power": now.production,
            "system_id": system.system_id,
        }


async def test_stream_without_battery(world: World) -> None:
    """Without a battery its fields are absent."""
    cabin = world.add_system(battery=None)
    first = events(await (await stream(world, cabin)).text())[0]
    assert not [name for name in first["data"] if name.startswith("battery")]
    assert first["data"]["pv_power"] > 0


async def test_stream_in_an_outage(world: World, system: System) -> None:
    """Without a grid there is no grid power."""
    system.start_grid_outage(world.clock())
    first = events(await (await stream(world, system)).text())[0]
    assert first["data"]["grid_status"] == "Off Grid"
    assert first["data"]["grid_power"] == 0


async def test_streams_are_billed(world: World, system: System) -> None:
    """Each opened stream costs 10 cents, of any length."""
    await (await stream(world, system)).read()
    await (await stream(world, system, "300")).read()
    await stream(world, system, "5")
    assert [record.duration for record in world.cloud.streams] == [30, 300]
    assert [record.frames for record in world.cloud.streams] == [30, 300]
    for record in world.cloud.streams:
        assert record.closed_at is not None
        assert (record.closed_at - record.opened_at).total_seconds() == record.duration
        assert record.application == "client"
    assert world.cloud.live_cost == 0.2
    assert world.cloud.counts() == {"live_data": 3}


@pytest.mark.parametrize(
    ("duration", "status", "message"),
    [
        ("29", 461, "Duration cannot be less than 30"),
        ("301", 462, "Duration cannot be greater than 300"),
        ("a while", 463, "Duration must be an integer"),
    ],
)
async def test_bad_durations(
    world: World, system: System, duration: str, status: int, message: str
) -> None:
    """Each invalid duration has its own status."""
    response = await stream(world, system, duration)
    assert response.status == status
    assert response.content_type == "application/json"
    body = await response.json()
    assert body["type"] == "validation_error"
    assert body["error"] == {
        "code": status,
        "details": [{}],
        "message": message,
        "status": "INVALID_DURATION",
    }


async def test_systems_that_cannot_stream(world: World, system: System) -> None:
    """An old gateway, missing meters and no reports have different errors."""

    async def status(of: System) -> tuple[int, str]:
        response = await stream(world, of)
        return response.status, (await response.json())["error"]["status"]

    bare = world.add_system(meters=["production"])
    assert await status(bare) == (472, "LIVE_STREAM_NOT_SUPPORTED")
    old = world.add_system()
    old.gateway_version = "5.0.62"
    assert await status(old) == (466, "UNSUPPORTED_ENVOY")
    system.go_offline(world.clock())
    assert await status(system) == (473, "IQ_GATEWAY_NOT_REPORTING")
    assert world.cloud.streams == []


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (550, "SERVICE_UNREACHABLE"),
        (551, "SERVICE_UNREACHABLE"),
        (552, "CONNECTION_NOT_ESTABLISHED"),
        (500, "SERVICE_UNREACHABLE"),
    ],
)
async def test_server_errors(
    world: World, system: System, status: int, name: str
) -> None:
    """Errors by a fault have the documented text."""
    world.cloud.faults.add(Fault(operation="live_data", status=status, times=1))
    response = await stream(world, system)
    assert response.status == status
    body = await response.json()
    assert (body["type"], body["error"]["status"]) == ("server_error", name)


async def test_gateway_goes_offline_during_a_stream(
    world: World, system: System
) -> None:
    """The stream ends."""

    async def sleep(seconds: float) -> None:
        world.clock.advance(seconds=seconds)
        if len(world.cloud.frames) == 3:
            system.go_offline(world.clock())

    world.cloud.sleep = sleep
    assert len(events(await (await stream(world, system)).text())) == 3


async def test_dropped_connection(world: World, system: System) -> None:
    """The control endpoint drops streams between frames."""

    async def sleep(_seconds: float) -> None:
        await asyncio.Event().wait()

    world.cloud.sleep = sleep
    response = await stream(world, system)
    assert len(world.cloud.connections) == 1
    assert await response.content.readuntil(b"\n\n")
    assert (await world.control("POST", "connections/drop")) == {"dropped": 1}
    assert [piece async for piece in pieces(response)] == []
    await world.cloud.connections.until_idle()
    assert world.cloud.streams[0].closed_at is not None


async def test_client_disconnects(world: World, system: System) -> None:
    """The stream ends."""
    leave = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await leave.wait()

    world.cloud.sleep = sleep
    response = await stream(world, system)
    response.close()
    await world.cloud.connections.until_idle()
    assert world.cloud.streams[0].closed_at is not None


# Shapes


async def faulty(world: World, system: System, shape: Any) -> ClientResponse:
    """Open a stream with a fault."""
    world.cloud.faults.clear()
    world.cloud.faults.add(Fault(operation="live_data", stream=shape))
    return await stream(world, system)


def sent(world: World) -> list[Any]:
    """Return the payloads that the cloud recorded."""
    return [frame.payload for frame in world.cloud.frames]


@pytest.mark.parametrize("shape", ["byte_by_byte", "gzip", "content_type", "annotated"])
async def test_harmless_faults(world: World, system: System, shape: str) -> None:
    """A correct parser reads all frames."""
    response = await faulty(world, system, shape)
    assert events(await response.text()) == sent(world)
    assert len(sent(world)) == 30
    if shape == "gzip":
        assert response.headers["Content-Encoding"] == "gzip"
    if shape == "content_type":
        assert response.content_type == "text/plain"


async def test_line_ends(world: World, system: System) -> None:
    """There are three line ends."""
    text = await (await faulty(world, system, "crlf")).text()
    assert text.count("\r\n\r\n") == 30
    assert text.count("\n") == text.count("\r")
    text = await (await faulty(world, system, "cr")).text()
    assert text.count("\r\r") == 30
    assert "\n" not in text


async def test_byte_order_mark(world: World, system: System) -> None:
    """A stream may begin with a byte order mark."""
    data = await (await faulty(world, system, "bom")).read()
    assert data.startswith(b"\xef\xbb\xbfdata: ")


async def test_characters_are_split(world: World, system: System) -> None:
    """Characters of several bytes arrive in parts."""
    response = await faulty(world, system, "split")
    text = await response.text()
    assert "Zoë" in text
    assert events(text) == sent(world)


async def test_wrappers(world: World, system: System) -> None:
    """The payload may have more or fewer wrappers."""
    found = events(await (await faulty(world, system, "wrapped")).text())
    assert [event["data"] for event in found] == sent(world)
    world.cloud.frames.clear()
    found = events(await (await faulty(world, system, "double_wrapped")).text())
    assert [event["data"]["data"] for event in found] == sent(world)
    world.cloud.frames.clear()
    found = events(await (await faulty(world, system, "bare")).text())
    assert found == [payload["data"] for payload in sent(world)]
    world.cloud.frames.clear()
    text = await (await faulty(world, system, "ndjson")).text()
    assert [json.loads(line) for line in text.splitlines()] == sent(world)


async def test_events_on_many_lines(world: World, system: System) -> None:
    """The data of an event may have several lines."""
    text = await (await faulty(world, system, "multi_line")).text()
    found = [
        json.loads("".join(line[6:] for line in block.splitlines()))
        for block in text.strip().split("\n\n")
    ]
    assert found == sent(world)


def objects(text: str) -> list[Any]:
    """Decode all JSON values with any separators."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while (at := re.compile(r'[{\["]|\Z').search(text, at).start()) < len(text):  # type: ignore[union-attr]
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


@pytest.mark.parametrize(
    ("shape", "unwrap"),
    [
        ("array", lambda value: value[0]),
        ("array_in_event", lambda value: value[0]),
        ("array_wrapped", lambda value: value | {"data": value["data"][0]}),
        ("concatenated", lambda value: value),
        ("double_encoded", json.loads),
        ("events_as_json", lambda value: value),
        ("indented", lambda value: value),
        ("lines_as_json", lambda value: value),
        ("lines_with_length", lambda value: value),
        ("moment_outside", lambda value: value | value["data"]),
        ("no_blank_lines", lambda value: value),
        ("text_sequence", lambda value: value),
    ],
)
async def test_framings(world: World, system: System, shape: str, unwrap: Any) -> None:
    """Frames may have undocumented framings."""
    response = await faulty(world, system, shape)
    text = await response.text()
    assert [unwrap(value) for value in objects(text)] == sent(world)
    assert len(sent(world)) == 30
    is_json = shape in {"events_as_json", "lines_as_json", "lines_with_length"}
    assert (response.content_type == "application/json") is is_json
    assert (response.content_length is not None) == (shape == "lines_with_length")


async def test_streamed_array(world: World, system: System) -> None:
    """The whole stream may be one array without an end."""
    text = await (await faulty(world, system, "array_streamed")).text()
    assert json.loads(text.removesuffix(",") + "]") == sent(world)


async def test_success_code(world: World, system: System) -> None:
    """A frame may have a success code."""
    found = events(await (await faulty(world, system, "success_code")).text())
    assert [
        {**event, **payload} for event, payload in zip(found, sent(world), strict=True)
    ] == found
    assert {event["code"] for event in found} == {200}


async def test_another_system(world: World, system: System) -> None:
    """Frames may be of another system."""
    found = events(await (await faulty(world, system, "other_system")).text())
    assert {event["data"]["system_id"] for event in found} == {system.system_id + 1}


async def test_page(world: World, system: System) -> None:
    """The response may be a page."""
    response = await faulty(world, system, "html")
    assert response.content_type == "text/html"
    assert "{" not in await response.text()


async def test_duplicates_and_flood(world: World, system: System) -> None:
    """Frames may be repeated, or arrive by the thousand."""
    found = events(await (await faulty(world, system, "duplicates")).text())
    assert found[::2] == found[1::2]
    assert len(found) == 60
    world.clock.moment = NOON
    response = await faulty(world, system, "flood")
    for _ in range(5_000):
        assert await response.content.readuntil(b"\n\n")
    response.close()
    assert (world.clock() - NOON).total_seconds() < 2


async def test_frames_out_of_order(world: World, system: System) -> None:
    """Every second frame has the values of half a minute ago."""
    found = events(await (await faulty(world, system, "out_of_order")).text())
    stamps = [event["timestamp_epoch"] for event in found]
    falls = [after < before for before, after in pairwise(stamps)]
    assert falls[::2] == [True] * 15


@pytest.mark.parametrize(
    ("shape", "offset"), [("clock_ahead", 1), ("clock_behind", -1)]
)
async def test_wrong_clock(
    world: World, system: System, shape: str, offset: int
) -> None:
    """The clock of the gateway may be an hour wrong."""
    found = events(await (await faulty(world, system, shape)).text())
    for event, frame in zip(found, world.cloud.frames, strict=True):
        stamp = event["timestamp_epoch"] / 1000
        assert stamp - frame.at.timestamp() == offset * 3_600


async def test_absurd_values(world: World, system: System) -> None:
    """Power may have any value."""
    found = events(await (await faulty(world, system, "absurd")).text())
    powers = [event["data"]["pv_power"] for event in found]
    assert any(power != power for power in powers)  # noqa: PLR0124 - NaN
    assert {type(power) for power in powers} >= {float, int, str, type(None), list}
    assert -40 in [event["data"]["battery_soc"] for event in found]


async def test_sparse_frames(world: World, system: System) -> None:
    """Fields may be missing, or the data be null."""
    found = events(await (await faulty(world, system, "sparse")).text())
    assert found[0] == {"data": None}
    assert found[1]["data"].keys() == {"pv_power"}


async def test_errors_within_the_stream(world: World, system: System) -> None:
    """An error may come after the status said 200."""
    found = events(await (await faulty(world, system, "error_object")).text())
    assert "data" in found[0]
    assert found[1]["error"]["status"] == "SERVICE_UNREACHABLE"


async def test_any_error_within_the_stream(world: World, system: System) -> None:
    """The status of a stream fault is that of its error objects."""
    world.cloud.faults.add(
        Fault(operation="live_data", stream="error_object", status=429)
    )
    response = await stream(world, system)
    assert response.status == 200
    found = events(await response.text())
    assert "data" in found[0]
    assert found[1]["error"]["code"] == 429


async def test_garbage(world: World, system: System) -> None:
    """The data may not be text."""
    data = await (await faulty(world, system, "garbage")).read()
    with pytest.raises(UnicodeDecodeError):
        data.decode()


async def test_end_at_once(world: World, system: System) -> None:
    """A stream may end without a frame."""
    assert await (await faulty(world, system, "empty")).read() == b""


async def test_reset_within_a_frame(world: World, system: System) -> None:
    """The connection may break within a frame."""
    response = await faulty(world, system, "reset")
    with pytest.raises(ClientError):
        await response.read()
    assert len(world.cloud.frames) == 2


async def test_line_without_end(world: World, system: System) -> None:
    """A megabyte may arrive without a newline."""
    data = await (await faulty(world, system, "no_newline")).read()
    assert len(data) > 1024 * 1024
    assert b"\n" not in data


@pytest.mark.parametrize(
    ("shape", "content"),
    [("comments", b": still here\n\n"), ("endless", b"data: "), ("silence", b"")],
)
async def test_streams_without_end(
    world: World, system: System, shape: str, content: bytes
) -> None:
    """Some streams exceed their duration, with or without data."""
    ticks = 0

    async def sleep(_seconds: float) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 100:
            response.close()

    world.cloud.sleep = sleep
    response = await faulty(world, system, shape)
    received = b"".join([piece async for piece in pieces(response)])
    assert ticks >= 100
    assert received.startswith(content)
    assert bool(received) is bool(content)
