"""Tariffs: their prices, and the validation of stored ones."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from custom_components.enphase_cloud.measurements.catalog import Flow
from custom_components.enphase_cloud.money.tariff import (
    Direction,
    Tariff,
    TariffVersion,
    price,
    price_text,
)

NIGHT = {"price": "0.22", "start": "22:00", "end": "06:00"}


def _tariff(*versions: dict[str, Any], **more: Any) -> Tariff:
    return Tariff.from_dict(
        {"system": 7, "direction": "import", "versions": list(versions), **more}
    )


def _table(*periods: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "time_of_use", "price": "0.34", "periods": list(periods), **more}


def _price_at(version: dict[str, Any], moment: str) -> int | None:
    at = datetime.fromisoformat(moment)
    return TariffVersion.from_dict(version).price_at(at, lambda _: None)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.30", 300_000),
        ("-0.0123456", -12_346),
        ("1e-6", 1),
        (" 12 ", 12_000_000),
        ("1000000", 10**12),
    ],
)
def test_prices_are_whole_millionths(text: str, amount: int) -> None:
    """Texts become numbers without floating point."""
    assert price(text) == amount
    assert price(price_text(amount)) == amount


@pytest.mark.parametrize(
    "text",
    ["", "cheap", "NaN", "Infinity", "1000000.000001", "0,30", None, 0.3, True],
)
def test_an_invalid_price_raises(text: object) -> None:
    """Readers raise ValueError alone."""
    with pytest.raises(ValueError, match="Not"):
        price(text)


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (300_000, "0.3"), (-1, "-0.000001"), (10**8, "100")]
)
def test_prices_are_stored_as_short_texts(amount: int, text: str) -> None:
    """Without exponents and trailing zeros."""
    assert price_text(amount) == text


def test_a_tariff_survives_storing() -> None:
    """It is equal after reading."""
    tariff = _tariff(
        {"valid_from": None, "kind": "fixed", "price": "0.30"},
        _table(
            NIGHT
            | {"first": "11-01", "last": "03-31", "weekdays": [0, 4], "holidays": True},
            valid_from="2025-01-01",
            standing_charge="0.45",
            holidays=["2026-12-25"],
        ),
        {"valid_from": "2026-01-01", "kind": "entity", "entity_id": "sensor.spot"},
    )
    assert len(tariff.versions) == 3
    assert Tariff.from_dict(tariff.as_dict()) == tariff
    assert tariff.as_dict()["versions"][0] == {
        "valid_from": None,
        "kind": "fixed",
        "price": "0.3",
        "standing_charge": "0",
    }
    assert tariff.entities == {"sensor.spot"}
    assert tariff.direction.flow is Flow.GRID_IMPORT
    assert Direction.EXPORT.flow is Flow.GRID_EXPORT


def test_the_latest_version_applies() -> None:
    """From its day on; no version applies before the first."""
    tariff = _tariff(
        {"valid_from": "2026-01-01", "kind": "fixed", "price": "2"},
        {"valid_from": "2025-01-01", "kind": "fixed", "price": "1"},
        {"valid_from": "2026-01-01", "kind": "fixed", "price": "3"},
    )
    prices = [
        version and version.price // 1_000_000
        for day in ((2024, 12, 31), (2025, 1, 1), (2025, 12, 31), (2026, 1, 1))
        for version in [tariff.version_on(date(*day))]
    ]
    assert prices == [None, 1, 1, 3]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-06 21:59", 340_000),
        ("2026-03-06 22:00", 220_000),
        ("2026-03-07 05:59", 220_000),
        ("2026-03-07 06:00", 340_000),
        ("2026-03-07 23:00", 340_000),
        ("2026-03-08 01:00", 340_000),
    ],
)
def test_a_period_over_midnight_is_of_the_day_on_which_it_begins(
    moment: str, expected: int
) -> None:
    """The night that begins on Friday is Friday's, also on Saturday morning."""
    version = _table(NIGHT | {"weekdays": [0, 1, 2, 3, 4]})
    assert _price_at(version, moment) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-31 23:00", 340_000),
        ("2026-11-01 05:00", 340_000),
        ("2026-11-01 22:00", 220_000),
        ("2026-01-01 01:00", 220_000),
        ("2026-04-01 05:00", 220_000),
        ("2026-04-01 22:00", 340_000),
    ],
)
def test_a_season_may_include_new_year(moment: str, expected: int) -> None:
    """Both of its days are included."""
    version = _table(NIGHT | {"first": "11-01", "last": "03-31"})
    assert _price_at(version, moment) == expected


def test_a_season_may_lie_within_a_year() -> None:
    """A period may be a whole day."""
    whole = {"price": "0.10", "start": "00:00", "end": "00:00"}
    version = _table(whole | {"first": "06-01", "last": "06-30"})
    assert _price_at(version, "2026-06-30 23:59") == 100_000
    assert _price_at(version, "2026-07-01 00:00") == 340_000


def test_the_first_period_that_applies_wins() -> None:
    """A period with `holidays` applies on holidays of any weekday."""
    sunday = {"price": "0.10", "start": "00:00", "end": "00:00", "weekdays": [6]}
    day = {"price": "0.40", "start": "07:00", "end": "20:00"}
    version = _table(sunday | {"holidays": True}, day, holidays=["2026-12-25"])
    assert _price_at(version, "2026-12-25 12:00") == 100_000
    assert _price_at(version, "2026-12-27 12:00") == 100_000
    assert _price_at(version, "2026-12-28 12:00") == 400_000
    assert _price_at(_table(sunday, day, holidays=["2026-12-25"]), "2026-12-25 12:00")
    assert _price_at(version, "2026-12-28 20:00") == 340_000


def test_the_least_duration_of_a_price() -> None:
    """A quarter of an hour, or less if periods require it."""
    assert _tariff({"kind": "fixed", "price": "1"}).step == 15
    assert _tariff(_table(NIGHT | {"start": "21:50"})).step == 5
    assert _tariff(_table(NIGHT | {"end": "06:07"})).step == 1


@pytest.mark.parametrize(
    "version",
    [
        None,
        {},
        {"kind": "free", "price": "1"},
        {"kind": "fixed"},
        {"kind": "fixed", "price": "1", "valid_from": "tomorrow"},
        {"kind": "fixed", "price": "1", "standing_charge": "much"},
        {"kind": "fixed", "price": "1", "holidays": "all"},
        {"kind": "entity"},
        {"kind": "entity", "entity_id": ""},
        {"kind": "entity", "entity_id": "x" * 256},
        _table(None),  # type: ignore[arg-type]
        _table(NIGHT | {"start": "25:00"}),
        _table(NIGHT | {"weekdays": [7]}),
        _table(NIGHT | {"first": "02-30", "last": "03-01"}),
        _table(NIGHT | {"first": "02-29"}),
        _table(*[NIGHT] * 51),
    ],
)
def test_a_damaged_version_is_skipped(version: object) -> None:
    """The others still apply."""
    good = {"kind": "fixed", "price": "0.30"}
    tariff = _tariff(version, good)  # type: ignore[arg-type]
    assert tariff.damaged == 1
    assert [each.price for each in tariff.versions] == [300_000]


def test_limits_of_a_version() -> None:
    """What is just small enough is read."""
    days = [f"{year}-12-25" for year in range(2000, 2100)]
    spot = {"kind": "entity", "entity_id": "x" * 255}
    tariff = _tariff(_table(*[NIGHT] * 50), spot, _table(holidays=days))
    assert tariff.damaged == 0
    assert not TariffVersion.from_dict(spot | {"standing_charge": "-1"}).standing_charge


@pytest.mark.parametrize(
    "more", [{"system": "7"}, {"direction": "up"}, {"versions": {}}]
)
def test_a_tariff_without_a_system_or_direction_raises(more: dict[str, Any]) -> None:
    """Always ValueError."""
    with pytest.raises(ValueError, match=r"Not|valid"):
        _tariff(**more)


def test_the_zone_of_a_moment_is_ignored() -> None:
    """The caller converts to local time."""
    at = datetime(2026, 1, 1, 22, tzinfo=UTC)
    version = TariffVersion.from_dict(_table(NIGHT))
    assert version.price_at(at, lambda _: None) == 220_000
    spot = TariffVersion.from_dict({"kind": "entity", "entity_id": "sensor.spot"})
    assert spot.price_at(at, {"sensor.spot": 5}.get) == 5
