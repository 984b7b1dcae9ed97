"""Documents show the actual values, as far as they are published."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulator import Cloud, Flow, Storage, System

from .conftest import NOON, World

PACIFIC = ZoneInfo("America/Los_Angeles")
MIDNIGHT = datetime(2026, 6, 17, tzinfo=PACIFIC)
UNTIL = datetime(2026, 6, 17, 19, 30, tzinfo=UTC)
"""The newest quarter hour that is published at NOON."""


def epoch(moment: datetime) -> int:
    """Return epoch seconds."""
    return int(moment.timestamp())


def truth(world: World, system: System, flow: str, end: int, seconds: int = 900) -> int:
    """Return the actual Wh of an interval."""
    moment = datetime.fromtimestamp(end, UTC)
    return world.cloud.truth(system.system_id).energy(
        flow, moment - timedelta(seconds=seconds), moment
    )


@pytest.fixture
def honest(world: World) -> System:
    """Return a system whose intervals are complete at once."""
    return world.add_system(corrections=False)


# Systems


async def test_systems_are_paged(world: World) -> None:
    """Pages are cut and sorted by id, at most a hundred at a time."""
    for number in range(12):
        world.add_system(system_id=100 + number)
    page = await world.get("", page=2, size=5)
    assert (page["total"], page["current_page"], page["size"]) == (12, 2, 5)
    assert (page["count"], page["items"]) == (5, "systems")
    assert [found["system_id"] for found in page["systems"]] == list(range(105, 110))
    assert (await world.get(""))["count"] == 10
    assert (await world.get("", page=3, size=5))["count"] == 2
    assert (await world.get("", page=9))["systems"] == []
    assert (await world.get("", size=5_000))["size"] == 100
    last = await world.get("/", sort_by="-id", size=1, page=0)
    assert last["systems"][0]["system_id"] == 111


async def test_fields_of_a_system(world: World, system: System) -> None:
    """Deprecated numbers are always -1; times are epoch seconds."""
    (listed,) = (await world.get("", sort_by="id"))["systems"]
    found = await world.get(f"/{system.system_id}")
    assert found == listed
    assert found["timezone"] == "America/Los_Angeles"
    assert found["connection_type"] == "ethernet"
    assert found["status"] == "normal"
    deprecated = {"energy_lifetime", "energy_today", "system_size"}
    assert {found[name] for name in deprecated} == {-1}
    assert found["operational_at"] == epoch(datetime(2026, 6, 7, tzinfo=PACIFIC))
    assert found["last_energy_at"] == epoch(UNTIL)
    assert found["last_energy_at"] <= found["last_report_at"] <= epoch(NOON)
    assert "live_stream" not in found


async def test_removed_systems(world: World, system: System) -> None:
    """A removed system is in no document."""
    world.cloud.remove_system(system.system_id)
    assert (await world.get(""))["total"] == 0
    assert (await world.request(f"/{system.system_id}")).status == 404


async def test_sold_and_shared_systems(world: World, system: System) -> None:
    """Accounts only find systems that they own or have access to."""
    other = world.cloud.add_account(email="other@example.com", password="x")
    system.shared_with.append(other)
    assert (await world.get(""))["total"] == 1
    owner, system.account = system.account, other
    assert (await world.get(""))["total"] == 0
    assert (await world.request(f"/{system.system_id}/summary")).status == 403
    system.shared_with = [owner]
    assert (await world.get(""))["total"] == 1
    assert (await world.request(f"/{system.system_id}/summary")).status == 200


async def test_a_time_zone_can_be_corrected(world: World, honest: System) -> None:
    """Days are then those of the new zone; energy does not change."""
    before = await world.get(f"/{honest.system_id}/summary")
    honest.time_zone = "Asia/Tokyo"
    (listed,) = (await world.get(""))["systems"]
    assert listed["timezone"] == "Asia/Tokyo"
    after = await world.get(f"/{honest.system_id}/summary")
    assert (before["summary_date"], after["summary_date"]) == (
        "2026-06-17",
        "2026-06-18",
    )
    assert after["current_power"] == before["current_power"]
    midnight = datetime(2026, 6, 18, tzinfo=ZoneInfo("Asia/Tokyo"))
    energy = world.cloud.truth(honest.system_id).energy
    assert after["energy_today"] == energy("production", midnight, UNTIL)


async def test_listed_replaces_members_of_lists(world: World, system: System) -> None:
    """Other documents do not change."""
    system.listed = {"timezone": "Europe/", "system_id": str(system.system_id)}
    (listed,) = (await world.get(""))["systems"]
    assert (listed["timezone"], listed["system_id"]) == (
        "Europe/",
        str(system.system_id),
    )
    _, page = await search(world, {"system": {"ids": []}})
    (found,) = page["systems"]
    assert found["timezone"] == "Europe/"
    assert (await world.get(f"/{system.system_id}"))["system_id"] == system.system_id


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"sort_by": "name"}, "The sorting parameter is not supported"),
        ({"page": "two"}, "Invalid number"),
    ],
)
async def test_bad_pages(world: World, query: dict[str, str], details: str) -> None:
    """Invalid values are refused with 422."""
    response = await world.request("", **query)
    assert response.status == 422
    assert details in (await response.json())["details"]


async def search(world: World, body: Any, **query: object) -> Any:
    """Search systems."""
    response = await world.request("/search", method="POST", body=body, **query)
    return response.status, await response.json()


async def test_search_filters(world: World) -> None:
    """Empty filters have no effect."""
    world.add_system(system_id=1, name="Beach house")
    world.add_system(system_id=2, name="City flat", status="micro")

    async def found(**wanted: Any) -> list[int]:
        status, page = await search(world, {"system": wanted})
        assert status == 200
        return [system["system_id"] for system in page["systems"]]

    assert await found() == [1, 2]
    assert await found(ids=[], name="", statuses=[], reference="") == [1, 2]
    assert await found(ids=[2, 3]) == [2]
    assert await found(name="beach") == [1]
    assert await found(statuses=["micro"]) == [2]
    assert await found(other_reference="mine") == []
    _, page = await search(world, {"sort_by": "-id", "system": {}}, size=1)
    assert page["systems"][0]["system_id"] == 2


@pytest.mark.parametrize("body", [None, {}, [], {"system": None}])
async def test_search_needs_a_system(world: World, body: Any) -> None:
    """The key `system` is mandatory."""
    status, response = await search(world, body)
    assert status == 422
    assert response["details"] == "system is missing at Json body location"
    response = await world.client.post(
        "/api/v4/systems/search", headers=world.headers, data="{"
    )
    assert response.status == 422


@pytest.mark.parametrize(
    "body", [{"system": {"id": 7}}, {"system": {}, "size": 5}, {"system": {}, "x": 0}]
)
async def test_search_refuses_unknown_keys(world: World, body: Any) -> None:
    """As the specification says; it has no text for that."""
    status, _ = await search(world, body)
    assert status == 422


async def test_search_has_support_of_live_streams(world: World) -> None:
    """Live streams need meters, a recent gateway, and to be enabled."""
    world.add_system(system_id=1)
    world.add_system(system_id=2, meters=["production"])
    world.add_system(system_id=3, battery=None, meters=["production"])
    world.add_system(system_id=4, battery=None, meters=[])
    world.add_system(system_id=5, live_stream=False)
    world.add_system(system_id=6).gateway_version = "5.9.9"
    _, page = await search(world, {"system": {}}, live_stream="true")
    assert [system["live_stream"] for system in page["systems"]] == [
        "enabled",
        "disabled",
        "enabled",
        "disabled",
        "disabled",
        "disabled",
    ]
    _, page = await search(world, {"system": {}})
    assert "live_stream" not in page["systems"][0]


# Summary


async def test_summary_of_today(world: World, honest: System) -> None:
    """Energy of today is that of published intervals; the lifetime ends yesterday."""
    summary = await world.get(f"/{honest.system_id}/summary")
    real = world.cloud.truth(honest.system_id)
    assert summary["energy_today"] == real.energy("production", MIDNIGHT, UNTIL)
    assert summary["energy_lifetime"] == real.lifetime("production", MIDNIGHT)
    assert summary["summary_date"] == "2026-06-17"
    assert summary["source"] == "meter"
    assert summary["size_w"] == 6_800
    assert summary["modules"] == 16
    assert summary["battery_capacity_wh"] == 10_000
    assert summary["battery_charge_w"] == summary["battery_discharge_w"] == 7_680
    assert summary["current_power"] == real.power(UNTIL).production
    assert summary["last_interval_end_at"] == epoch(UNTIL)


async def test_at_night_the_last_interval_is_that_of_dusk(
    world: World, honest: System
) -> None:
    """The last known time that the system produced energy."""
    world.clock.advance(hours=11)
    summary = await world.get(f"/{honest.system_id}/summary")
    meter = await world.get(f"/{honest.system_id}/telemetry/production_meter")
    produced = {row["end_at"]: row["wh_del"] for row in meter["intervals"]}
    assert summary["current_power"] == 0
    assert summary["last_interval_end_at"] == max(
        end for end, energy in produced.items() if energy
    )
    assert summary["last_interval_end_at"] < max(produced)


async def test_summary_of_a_past_day(world: World, honest: System) -> None:
    """Modules, size and power of a past day are zero."""
    path = f"/{honest.system_id}/summary"
    summary = await world.get(path, summary_date="2026-06-15")
    real = world.cloud.truth(honest.system_id)
    assert summary["energy_today"] == real.day("production", date(2026, 6, 15))
    start = datetime(2026, 6, 15, tzinfo=PACIFIC)
    assert summary["energy_lifetime"] == real.lifetime("production", start)
    assert (summary["modules"], summary["size_w"], summary["current_power"]) == (
        0,
        0,
        0,
    )


async def test_summary_without_battery_and_meter(world: World) -> None:
    """The source of production is the microinverters."""
    cabin = world.add_system(battery=None, meters=[])
    summary = await world.get(f"/{cabin.system_id}/summary")
    assert summary["source"] == "microinverters"
    assert summary["battery_capacity_wh"] == summary["battery_charge_w"] == 0


@pytest.mark.parametrize("day", ["2026-06-18", "yesterday"])
async def test_summary_of_an_invalid_day(
    world: World, system: System, day: str
) -> None:
    """Tomorrow and invalid dates are refused with 422."""
    response = await world.request(f"/{system.system_id}/summary", summary_date=day)
    assert response.status == 422


# Devices


async def test_devices_of_a_large_system(world: World) -> None:
    """Exactly the existing kinds are listed."""
    farm = world.add_system(
        battery=3, generator_w=9_000, connection="cellular", phases=3
    )
    document = await world.get(f"/{farm.system_id}/devices")
    devices = document["devices"]
    assert {kind: len(found) for kind, found in devices.items()} == {
        "micros": 16,
        "meters": 2,
        "gateways": 1,
        "encharges": 3,
        "enpowers": 1,
        "generators": 1,
    }
    assert document["total_devices"] == 24
    assert [meter["config_type"] for meter in devices["meters"]] == [
        "Production",
        "Net",
    ]
    assert {meter["config_phase"] for meter in devices["meters"]} == {"three"}
    assert "imei" in devices["gateways"][0]["cellular_modem"]
    ids = [device["id"] for found in devices.values() for device in found]
    assert len(set(ids)) == len(ids)


async def test_devices_of_a_small_system(world: World) -> None:
    """Without meters and battery there are panels and a gateway."""
    cabin = world.add_system(battery=None, meters=[])
    devices = (await world.get(f"/{cabin.system_id}/devices"))["devices"]
    assert devices.keys() == {"micros", "gateways"}
    assert "cellular_modem" not in devices["gateways"][0]


# Telemetry

TELEMETRY = [
    ("telemetry/production_meter", "wh_del", "production"),
    ("telemetry/consumption_meter", "enwh", "consumption"),
    ("energy_import_telemetry", "wh_imported", "import"),
    ("energy_export_telemetry", "wh_exported", "export"),
]


def rows(document: Any) -> list[dict[str, Any]]:
    """Return the intervals, nested or not."""
    intervals = document["intervals"]
    flat = intervals[0] if intervals and isinstance(intervals[0], list) else intervals
    return list(flat)


@pytest.mark.parametrize(("path", "key", "flow"), TELEMETRY)
async def test_telemetry_of_today(
    world: World, honest: System, path: str, key: str, flow: str
) -> None:
    """Intervals run from the site's midnight to the newest report, without gap."""
    document = await world.get(f"/{honest.system_id}/{path}")
    assert document["granularity"] == "day"
    assert document["items"] == "intervals"
    assert document["start_at"] == epoch(MIDNIGHT)
    assert document["end_at"] == epoch(NOON)
    found = rows(document)
    ends = [row["end_at"] for row in found]
    assert ends == list(range(epoch(MIDNIGHT) + 900, epoch(UNTIL) + 1, 900))
    assert [row[key] for row in found] == [
        truth(world, honest, flow, end) for end in ends
    ]


async def test_import_and_export_are_nested(world: World, honest: System) -> None:
    """The intervals of the grid are in a nested array."""
    for name in ("import", "export"):
        document = await world.get(f"/{honest.system_id}/energy_{name}_telemetry")
        assert document["total_devices"] == 0
        assert len(document["intervals"]) == 1


async def test_battery_telemetry(world: World, honest: System) -> None:
    """Charge, discharge and state of charge, the last as text."""
    document = await world.get(f"/{honest.system_id}/telemetry/battery")
    assert document["total_devices"] == 2
    real = world.cloud.truth(honest.system_id)
    for row in document["intervals"]:
        end = row["end_at"]
        assert row["charge"]["enwh"] == truth(world, honest, "charge", end)
        assert row["discharge"]["enwh"] == truth(world, honest, "discharge", end)
        soc = real.power(datetime.fromtimestamp(end, UTC)).soc
        assert soc is not None
        assert row["soc"] == {"percent": round(soc), "devices_reporting": 2}
    percent = document["last_reported_aggregate_soc"]
    assert percent.endswith("%")
    assert abs(int(percent[:-1]) - document["intervals"][-1]["soc"]["percent"]) <= 2


async def test_micro_telemetry(world: World, honest: System) -> None:
    """Microinverters report every 5 minutes, 1 % more than the meter."""
    document = await world.get(f"/{honest.system_id}/telemetry/production_micro")
    assert document["total_devices"] == 16
    found = document["intervals"]
    assert found[0]["end_at"] == epoch(MIDNIGHT) + 300
    assert found[0]["devices_reporting"] == 0
    for row in found:
        assert row["powr"] == row["enwh"] * 12
        true = truth(world, honest, "production", row["end_at"], 300)
        assert row["enwh"] == true + true // 100
    assert {row["devices_reporting"] for row in found if row["enwh"]} == {16}


@pytest.mark.parametrize(
    ("path", "granularity", "intervals"),
    [
        ("telemetry/production_meter", "15mins", 1),
        ("telemetry/production_meter", "day", 96),
        ("telemetry/production_meter", "week", 672),
        ("energy_import_telemetry", "day", 96),
        ("telemetry/production_micro", "5mins", 1),
        ("telemetry/production_micro", "15mins", 3),
        ("telemetry/production_micro", "day", 288),
        ("telemetry/battery", "week", 672),
    ],
)
async def test_granularity_is_the_length_of_the_window(
    world: World, system: System, path: str, granularity: str, intervals: int
) -> None:
    """Granularity is the length of the span, not that of intervals."""
    start = epoch(datetime(2026, 6, 8, tzinfo=PACIFIC))
    document = await world.get(
        f"/{system.system_id}/{path}", start_at=start, granularity=granularity
    )
    assert document["granularity"] == granularity
    assert document["start_at"] == start
    assert len(rows(document)) == intervals


async def test_start_date_is_echoed(world: World, system: System) -> None:
    """A date means midnight of the site, and is shown as requested."""
    path = f"/{system.system_id}/telemetry/production_meter"
    document = await world.get(path, start_date="2026-06-10")
    assert document["start_date"] == "2026-06-10"
    assert "start_at" not in document
    first = epoch(datetime(2026, 6, 10, tzinfo=PACIFIC))
    assert document["intervals"][0]["end_at"] == first + 900
    document = await world.get(path, start_date="2026-06-10", end_date="2026-06-12")
    assert document["end_date"] == "2026-06-12"
    assert len(document["intervals"]) == 3 * 96


async def test_undocumented_end(world: World, system: System) -> None:
    """An end has an effect, as recorded traffic of microinverters shows."""
    start = epoch(MIDNIGHT)
    path = f"/{system.system_id}/telemetry/production_micro"
    document = await world.get(path, start_at=start, end_at=start + 3_600)
    assert len(document["intervals"]) == 12
    assert document["end_at"] == start + 3_600


async def test_granularity_without_start_is_ignored(
    world: World, system: System
) -> None:
    """Without a start the document is of today."""
    path = f"/{system.system_id}/telemetry/battery"
    document = await world.get(path, granularity="week")
    assert document["granularity"] == "day"
    assert document["start_at"] == epoch(MIDNIGHT)


async def test_start_before_the_first_day(world: World, system: System) -> None:
    """A start before the system existed is its first day."""
    path = f"/{system.system_id}/telemetry/battery"
    document = await world.get(path, start_at=epoch(NOON) - 86_400 * 100)
    assert document["start_at"] == system.operational_at
    assert document["intervals"][0]["end_at"] == system.operational_at + 900


async def test_start_after_the_last_interval(world: World, system: System) -> None:
    """The list is empty, which is not an error."""
    for path in ("telemetry/battery", "energy_export_telemetry"):
        document = await world.get(
            f"/{system.system_id}/{path}", start_at=epoch(NOON) - 60
        )
        assert document["intervals"] == []


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"start_at": epoch(NOON) + 60}, "Requested date is in the future"),
        ({"start_date": "2026-06-18"}, "Requested date is in the future"),
        ({"start_at": epoch(NOON) - 800 * 86_400}, "range is invalid for this system"),
        ({"start_at": "noon"}, "Failed to parse date noon"),
        ({"start_date": "17/06/2026"}, "Failed to parse date 17/06/2026"),
        ({"granularity": "month"}, "Invalid granularity month"),
        (
            {"start_at": epoch(NOON) - 9 * 86_400, "end_at": epoch(NOON)},
            "cannot be more than 7 days",
        ),
    ],
)
async def test_bad_windows(
    world: World, system: System, query: dict[str, object], details: str
) -> None:
    """Invalid spans are refused with 422."""
    path = f"/{system.system_id}/telemetry/battery"
    response = await world.request(path, **query)
    assert response.status == 422
    body = await response.json()
    assert (body["message"], body["code"]) == ("Unprocessable Entity", 422)
    assert details in body["details"]


@pytest.mark.parametrize(
    "path",
    [
        "telemetry/battery",
        "telemetry/production_meter",
        "telemetry/consumption_meter",
        "energy_import_telemetry",
        "energy_export_telemetry",
    ],
)
async def test_documents_without_devices_are_empty(world: World, path: str) -> None:
    """Without battery and meters they have no intervals."""
    cabin = world.add_system(battery=None, meters=[])
    document = await world.get(f"/{cabin.system_id}/{path}")
    assert document["total_devices"] == 0
    assert document["intervals"] == []
    if path == "telemetry/battery":
        assert document["last_reported_aggregate_soc"] is None


# Latest telemetry


def sums(document: Any) -> dict[str, int]:
    """Return the power of each kind of meter, and of all batteries."""
    devices = document["devices"]
    powers: dict[str, int] = {}
    for row in devices["meters"]:
        powers[row["name"]] = powers.get(row["name"], 0) + (row["power"] or 0)
    if "encharges" in devices:
        powers["battery"] = sum(row["power"] for row in devices["encharges"])
    return powers


@pytest.mark.parametrize("hours", [0, 8, 14])
@pytest.mark.parametrize("phases", [1, 3])
async def test_latest_powers_of_a_net_site(
    world: World, hours: int, phases: int
) -> None:
    """Consumption is production plus grid; minus battery it is the load."""
    home = world.add_system(phases=phases, battery=3)
    world.clock.advance(hours=hours)
    document = await world.get(f"/{home.system_id}/latest_telemetry")
    reported = document["devices"]["encharges"][0]["last_report_at"]
    now = world.cloud.truth(home.system_id).power(datetime.fromtimestamp(reported, UTC))
    powers = sums(document)
    assert powers["production"] == now.production
    assert powers["consumption"] == now.production + now.grid
    assert powers["consumption"] - powers["battery"] == now.consumption
    mode = document["devices"]["encharges"][0]["operational_mode"]
    signs = {"Charging": now.battery < 0, "Discharging": now.battery > 0}
    assert signs.get(mode, now.battery == 0)
    channels = [row for row in document["devices"]["meters"] if row["power"] is None]
    assert len(channels) == 2 * (3 - phases)
    assert all(row["last_report_at"] is None for row in channels)


async def test_latest_powers_of_a_total_site(world: World) -> None:
    """In Total configuration consumption is the load of the home."""
    cabin = world.add_system(battery=None, consumption_config="Total")
    document = await world.get(f"/{cabin.system_id}/latest_telemetry")
    reported = document["devices"]["meters"][0]["last_report_at"]
    now = world.cloud.truth(cabin.system_id).power(
        datetime.fromtimestamp(reported, UTC)
    )
    assert sums(document) == {
        "production": now.production,
        "consumption": now.consumption,
    }


async def test_sign_of_the_battery_may_differ(world: World, system: System) -> None:
    """The sign is not documented, so both are supported."""
    world.clock.advance(hours=8)
    path = f"/{system.system_id}/latest_telemetry"
    charging = sums(await world.get(path))["battery"]
    system.battery_sign = -1
    assert sums(await world.get(path))["battery"] == -charging != 0


async def test_latest_powers_are_null_after_a_week(
    world: World, system: System
) -> None:
    """Devices without reports for seven days have no power."""
    system.go_offline(world.clock())
    world.clock.advance(days=8)
    world.headers = world.sign_in()
    document = await world.get(f"/{system.system_id}/latest_telemetry")
    for row in [*document["devices"]["meters"], *document["devices"]["encharges"]]:
        assert row["power"] is None
        assert row["last_report_at"] is None
        assert row.get("operational_mode") is None


# Lifetime

LIFETIME = [
    ("energy_lifetime", {"production": "production"}),
    ("consumption_lifetime", {"consumption": "consumption"}),
    ("battery_lifetime", {"charge": "charge", "discharge": "discharge"}),
    ("energy_import_lifetime", {"import": "import"}),
    ("energy_export_lifetime", {"export": "export"}),
]


@pytest.mark.parametrize(("path", "series"), LIFETIME)
async def test_lifetime_is_a_day_each(
    world: World, system: System, path: str, series: dict[str, str]
) -> None:
    """One value a day from the first day to yesterday, without gap."""
    document = await world.get(f"/{system.system_id}/{path}")
    assert document["start_date"] == "2026-06-07"
    days = [date(2026, 6, 7) + timedelta(days=number) for number in range(10)]
    real = world.cloud.truth(system.system_id)
    for name, flow in series.items():
        assert document[name] == [real.day(flow, day) for day in days]


@pytest.mark.parametrize(("path", "series"), LIFETIME)
async def test_lifetime_of_today_is_the_sum_of_its_intervals(
    world: World, system: System, path: str, series: dict[str, str]
) -> None:
    """The value of a day is the sum of its intervals, also of late ones."""
    telemetry = {
        "production": ("telemetry/production_meter", lambda row: row["wh_del"]),
        "consumption": ("telemetry/consumption_meter", lambda row: row["enwh"]),
        "charge": ("telemetry/battery", lambda row: row["charge"]["enwh"]),
        "discharge": ("telemetry/battery", lambda row: row["discharge"]["enwh"]),
        "import": ("energy_import_telemetry", lambda row: row["wh_imported"]),
        "export": ("energy_export_telemetry", lambda row: row["wh_exported"]),
    }
    for _ in range(8):
        world.clock.advance(minutes=15)
        document = await world.get(
            f"/{system.system_id}/{path}", start_date="2026-06-17"
        )
        for name, flow in series.items():
            where, value = telemetry[flow]
            intervals = rows(await world.get(f"/{system.system_id}/{where}"))
            assert document[name] == [sum(map(value, intervals))]


async def test_intervals_of_microinverters_add_up(world: World) -> None:
    """Without a meter the day is their sum."""
    cabin = world.add_system(battery=None, meters=[])
    for _ in range(8):
        world.clock.advance(minutes=15)
        micro = await world.get(f"/{cabin.system_id}/telemetry/production_micro")
        summary = await world.get(f"/{cabin.system_id}/summary")
        quarter = summary["last_interval_end_at"]
        known = [row["enwh"] for row in micro["intervals"] if row["end_at"] <= quarter]
        assert summary["energy_today"] == sum(known)


@pytest.mark.parametrize(
    ("query", "start", "count"),
    [
        ({"start_date": "2026-06-10"}, "2026-06-10", 7),
        ({"start_date": "2026-06-10", "end_date": "2026-06-12"}, "2026-06-10", 3),
        ({"start_date": "2026-06-10", "end_date": "2026-06-17"}, "2026-06-10", 8),
        ({"start_date": "2020-01-01"}, "2026-06-07", 10),
        ({"start_date": "2026-06-17"}, "2026-06-17", 1),
        ({"end_date": "2026-06-08"}, "2026-06-07", 2),
    ],
)
async def test_lifetime_between_dates(
    world: World, system: System, query: dict[str, str], start: str, count: int
) -> None:
    """The default end is yesterday, or today if the start is today."""
    path = f"/{system.system_id}/battery_lifetime"
    document = await world.get(path, **query)
    assert document["start_date"] == start
    assert len(document["charge"]) == len(document["discharge"]) == count


@pytest.mark.parametrize(("path", "series"), LIFETIME)
async def test_lifetime_of_a_system_that_never_produced(
    world: World, path: str, series: dict[str, str]
) -> None:
    """It has no first day, except a requested one."""
    world.clock.moment = datetime(2026, 6, 17, 1, 30, tzinfo=PACIFIC)
    new = world.add_system(commissioned=date(2026, 6, 17))
    document = await world.get(f"/{new.system_id}/{path}")
    assert document["start_date"] is None
    assert [document[name] for name in series] == [[] for _ in series]
    document = await world.get(f"/{new.system_id}/{path}", start_date="2026-06-17")
    assert document["start_date"] == "2026-06-17"


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"start_date": "2026-06-18"}, "Requested date is in the future"),
        ({"end_date": "2026-06-18"}, "Requested date is in the future"),
        (
            {"start_date": "2026-06-12", "end_date": "2026-06-10"},
            "Requested date range is invalid for this system",
        ),
        ({"start_date": "12.6.2026"}, "Failed to parse date 12.6.2026"),
        ({"start_date": "20260612"}, "Failed to parse date 20260612"),
        ({"start_date": "2026-W24-5"}, "Failed to parse date 2026-W24-5"),
    ],
)
async def test_bad_dates(
    world: World, system: System, query: dict[str, str], details: str
) -> None:
    """Invalid dates are refused with 422."""
    response = await world.request(f"/{system.system_id}/energy_lifetime", **query)
    assert response.status == 422
    assert (await response.json())["details"] == details


async def test_all_production(world: World, system: System) -> None:
    """With `production=all` both measurements are shown."""
    path = f"/{system.system_id}/energy_lifetime"
    document = await world.get(path, production="all")
    assert document["meter_start_date"] == "2026-06-07"
    assert document["meter_production"] == document["production"]
    assert all(
        0 < micro - meter <= meter * 0.011
        for micro, meter in zip(
            document["micro_production"], document["production"], strict=True
        )
    )
    assert "micro_production" not in await world.get(path, production="some")
    cabin = world.add_system(battery=None, meters=[])
    document = await world.get(f"/{cabin.system_id}/energy_lifetime", production="all")
    assert "meter_start_date" not in document
    assert document["meter_production"] == []
    assert document["micro_production"] == document["production"]


async def test_lifetime_without_devices(world: World) -> None:
    """Without battery and consumption meter the series are empty."""
    cabin = world.add_system(battery=None, meters=["production"])
    document = await world.get(f"/{cabin.system_id}/battery_lifetime")
    assert (document["charge"], document["discharge"]) == ([], [])
    document = await world.get(f"/{cabin.system_id}/energy_import_lifetime")
    assert document["import"] == []


# Meter readings


async def test_meter_readings(world: World, system: System) -> None:
    """They count from the first day; each document has its own names of members."""
    real = world.cloud.truth(system.system_id)
    path = f"/{system.system_id}"
    (production,) = (await world.get(f"{path}/production_meter_readings"))[
        "meter_readings"
    ]
    assert production["serial_number"].endswith("EIM1")
    assert production["read_at"] == epoch(UNTIL)
    assert production["value"] == real.lifetime("production", UNTIL)
    (consumption,) = (await world.get(f"{path}/consumption_meter_readings"))[
        "meter_readings"
    ]
    assert consumption["serial_num"].endswith("EIM2")
    assert consumption["value"] == real.lifetime("consumption", UNTIL)
    yesterday = UNTIL - timedelta(days=1)
    (storage,) = (
        await world.get(f"{path}/storage_meter_readings", end_at=epoch(yesterday) + 7)
    )["meter_readings"]
    assert storage["read_at"] == epoch(yesterday)
    assert storage["value_charged"] == real.lifetime("charge", yesterday)
    assert storage["value_discharged"] == real.lifetime("discharge", yesterday)


async def test_meter_readings_without_meters(world: World) -> None:
    """Without meters there are no readings."""
    cabin = world.add_system(battery=None, meters=[])
    for meter in ("production", "consumption", "storage"):
        path = f"/{cabin.system_id}/{meter}_meter_readings"
        assert (await world.get(path))["meter_readings"] == []
        response = await world.request(path, end_at="now")
        assert response.status == 422


@pytest.mark.parametrize("meter", ["production", "consumption", "storage"])
async def test_no_meter_reading_is_newer_than_requested(
    world: World, system: System, meter: str
) -> None:
    """Before the first day there is none, as nothing was read."""
    path, first = f"/{system.system_id}/{meter}_meter_readings", system.operational_at
    for end_at in (0, first - 1):
        assert (await world.get(path, end_at=end_at))["meter_readings"] == []
    for end_at in (first, first + 899, first + 900, epoch(NOON), epoch(NOON) + 9_000):
        (reading,) = (await world.get(path, end_at=end_at))["meter_readings"]
        assert first <= reading["read_at"] <= end_at


async def test_a_retired_meter_keeps_its_last_reading(
    world: World, system: System
) -> None:
    """It stays listed; the reading of its successor begins with zero."""
    path = f"/{system.system_id}/production_meter_readings"
    (before,) = (await world.get(path))["meter_readings"]
    system.replace_meter("production", NOON)
    world.clock.advance(days=1)
    world.headers = world.sign_in()
    retired, present = (await world.get(path))["meter_readings"]
    assert retired["serial_number"] == before["serial_number"]
    assert retired["read_at"] == epoch(NOON) // 900 * 900
    assert present["serial_number"] != before["serial_number"]
    assert present["read_at"] >= retired["read_at"] + 86_400 - 1_800
    start, end = (
        datetime.fromtimestamp(each["read_at"], UTC) for each in (retired, present)
    )
    real = world.cloud.truth(system.system_id)
    assert present["value"] == real.energy("production", start, end)
    earlier = await world.get(path, end_at=before["read_at"])
    assert earlier["meter_readings"] == [before]


async def test_a_meter_without_reports_keeps_its_last_reading(
    world: World, system: System
) -> None:
    """Its time does not change, that of the other meter does."""
    path = f"/{system.system_id}"
    system.silence("consumption", NOON)
    world.clock.advance(hours=3)
    world.headers = world.sign_in()
    (silent,) = (await world.get(f"{path}/consumption_meter_readings"))[
        "meter_readings"
    ]
    (other,) = (await world.get(f"{path}/production_meter_readings"))["meter_readings"]
    assert silent["read_at"] <= epoch(NOON) < other["read_at"]


# Publication


async def test_cellular_gateways_report_every_six_hours(world: World) -> None:
    """On cellular the newest interval is hours old."""
    cabin = world.add_system(connection="cellular")
    document = await world.get(f"/{cabin.system_id}/telemetry/production_meter")
    last = document["intervals"][-1]["end_at"]
    assert last % (6 * 3_600) == 0
    assert last == (await world.get(f"/{cabin.system_id}"))["last_energy_at"]


async def test_incomplete_intervals_are_corrected(world: World) -> None:
    """A newest interval that lacks a device is completed by a later report."""
    home = world.add_system(battery=2)
    path = f"/{home.system_id}/telemetry/production_meter"
    seen: dict[int, set[tuple[int, int]]] = {}
    for _ in range(40):
        for row in (await world.get(path))["intervals"]:
            reported = (row["devices_reporting"], row["wh_del"])
            seen.setdefault(row["end_at"], set()).add(reported)
        world.clock.advance(minutes=10)
    corrected = {end: values for end, values in seen.items() if len(values) > 1}
    assert corrected
    for end, values in corrected.items():
        true = truth(world, home, Flow.PRODUCTION, end)
        assert values == {(0, 0), (1, true)}


async def test_a_battery_may_report_later_than_another(world: World) -> None:
    """The energy of one of two batteries is half of the total."""
    home = world.add_system(battery=Storage(units=2))
    counts = set()
    for _ in range(40):
        document = await world.get(f"/{home.system_id}/telemetry/battery")
        counts |= {row["soc"]["devices_reporting"] for row in document["intervals"]}
        world.clock.advance(minutes=10)
    assert counts == {1, 2}


def test_clouds_of_one_seed_are_equal() -> None:
    """A cloud of another seed differs."""

    def production(seed: int) -> int:
        cloud = Cloud(lambda: NOON, seed=seed)
        system = cloud.add_system(cloud.add_account(email="a@b.c", password="x"))
        return cloud.truth(system.system_id).lifetime("production", UNTIL)

    assert production(1) == production(1) != production(2)
