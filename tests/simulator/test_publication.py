"""Published data of a system, and its delay."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings, strategies as st
import pytest

from simulator import Cloud, Flow, System
from simulator.moments import HOUR, QUARTER, STEP, Window, epoch
from simulator.physics import energy
from simulator.publication import Published, last_report

NOW = datetime(2026, 6, 17, 19, 40, tzinfo=UTC)
moments = st.integers(0, 6 * 24 * HOUR).map(lambda seconds: epoch(NOW) - seconds)


def build(**properties: object) -> System:
    """Return a system that is ten days old."""
    cloud = Cloud(lambda: NOW)
    owner = cloud.add_account(email="owner@example.com", password="sesame")
    return cloud.add_system(
        owner,
        commissioned=date(2026, 6, 7),
        **properties,  # type: ignore[arg-type]
    )


HOME = build(battery=2)
CABIN = build(connection="cellular", meters=())
HONEST = build(corrections=False)
WIRELESS = build(connection="wifi", corrections=False)
WIRELESS_CABIN = build(connection="wifi", meters=(), corrections=False)


@settings(deadline=None)
@given(moments, st.sampled_from([HOME, CABIN]))
def test_reports_come_in_order_and_on_time(now: int, system: System) -> None:
    """A report is visible some minutes later, before the next one."""
    period = 6 * HOUR if system is CABIN else QUARTER
    report = last_report(system, now)
    assert report is not None
    assert report.taken_at < report.visible_at <= now
    assert report.visible_at - report.taken_at <= 300
    assert now - report.taken_at < period + 300
    earlier = last_report(system, report.visible_at - 1)
    assert earlier is not None
    assert report.taken_at - earlier.taken_at == period


@settings(deadline=None)
@given(moments, st.sampled_from([WIRELESS, WIRELESS_CABIN]))
def test_over_wifi_a_report_takes_minutes(now: int, system: System) -> None:
    """Reports are 250 to 520 s after the quarter hour of the meter reading."""
    report = last_report(system, now)
    assert report is not None
    assert 250 <= report.taken_at % QUARTER < 520
    assert now - report.taken_at < QUARTER + 520
    published = Published(system, now)
    step = QUARTER if system is WIRELESS else STEP
    assert published.measured_at == report.taken_at // step * step
    assert published.produced_until <= report.taken_at


def test_over_wifi_reports_and_intervals_vary() -> None:
    """Delays of reports differ, and intervals of a meter end after the quarter hour."""
    noon = epoch(NOW)
    seen = [Published(WIRELESS, noon + number * QUARTER) for number in range(8)]
    assert len({published.last_report_at % QUARTER for published in seen}) > 4
    assert all(120 <= published.produced_until % QUARTER < 210 for published in seen)
    by_step = Published(WIRELESS_CABIN, noon)
    assert by_step.produced_until == by_step.measured_at


@settings(deadline=None)
@given(moments, st.integers(0, 2 * 24 * HOUR), st.sampled_from([HOME, CABIN]))
def test_published_energy_never_decreases(now: int, later: int, system: System) -> None:
    """And never exceeds the actual energy."""
    before, after = Published(system, now), Published(system, now + later)
    start = system.operational_at
    assert before.until <= after.until
    for flow in Flow:
        known = before.sum(flow, start, before.until)
        assert known <= after.sum(flow, start, before.until)
        interval = before.energy(flow, before.until)
        assert interval <= after.energy(flow, before.until)


@settings(deadline=None, max_examples=30)
@given(moments, st.sampled_from([*Flow]), st.sampled_from([HOME, CABIN, HONEST]))
def test_corrections_end_with_the_actual_energy(
    now: int, flow: Flow, system: System
) -> None:
    """After three hours of reports an interval is complete."""
    end = now // QUARTER * QUARTER
    later = Published(system, now + 12 * HOUR)
    assert later.energy(flow, end) == energy(system.plant, flow, end - QUARTER, end)


def test_some_of_the_newest_intervals_are_incomplete() -> None:
    """Most are complete; without corrections all are."""
    ends = range(epoch(NOW) - 4 * 24 * HOUR, epoch(NOW), QUARTER)
    missing = {
        system: sum(
            Published(system, end + 400).devices_reporting(end // QUARTER * QUARTER, 5)
            < 5
            for end in ends
        )
        for system in (HOME, HONEST)
    }
    assert missing[HONEST] == 0
    assert 0.05 * len(ends) < missing[HOME] < 0.3 * len(ends)


def test_nothing_is_reported_before_the_first_day() -> None:
    """A new system shows its start of operation."""
    before = HOME.operational_at - 60
    assert last_report(HOME, before) is None
    published = Published(HOME, before)
    assert published.last_report_at == HOME.operational_at
    assert list(published.intervals(before - HOUR, before)) == []


@pytest.mark.parametrize("connection", ["ethernet", "wifi"])
@pytest.mark.parametrize("how", ["offline", "upload_pauses"])
def test_missing_reports_are_delivered_later(how: str, connection: str) -> None:
    """The last report stays; then all data arrives at once."""
    system = build(connection=connection)
    start = epoch(NOW)
    getattr(system, how).append(Window(start, start + 3 * HOUR))
    during = Published(system, start + 2 * HOUR)
    assert start - 1_200 < during.last_report_at < start
    assert during.status == "comm"
    after = Published(system, start + 3 * HOUR + 1_200)
    assert after.last_report_at >= start + 3 * HOUR
    assert after.status == "normal"
    assert len(list(after.intervals(start, start + 2 * HOUR))) == 8


def test_windows_without_an_end_can_be_ended() -> None:
    """The control endpoint starts and ends them."""
    system = build()
    later = NOW + timedelta(hours=1)
    system.go_offline(NOW)
    system.pause_uploads(NOW)
    system.start_grid_outage(NOW)
    assert system.is_offline(epoch(later))
    assert system.upload_pauses == [Window(epoch(NOW))]
    assert system.plant.outages == (Window(epoch(NOW) // 300 * 300),)
    system.come_online(later)
    system.resume_uploads(later)
    system.end_grid_outage(later)
    assert not system.is_offline(epoch(later))
    assert system.upload_pauses == [Window(epoch(NOW), epoch(later))]
    (outage,) = system.plant.outages
    assert outage.end is not None
    assert 0 < outage.end - epoch(later) <= 300


def test_outage_with_an_end() -> None:
    """It covers whole steps."""
    system = build()
    system.start_grid_outage(NOW + timedelta(seconds=7), NOW + timedelta(seconds=308))
    (outage,) = system.plant.outages
    assert outage.end is not None
    assert (outage.end - outage.start) == 600
