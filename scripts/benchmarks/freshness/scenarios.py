"""The simulated years."""

from dataclasses import dataclass, replace

from custom_components.enphase_cloud.quota.plans import PLANS, Plan

from .world import DAY, Kind, Site

_HOME = Site("home", latitude=48.1, longitude=11.6)
_PLACES = {
    Site("sydney", latitude=-33.9, longitude=151.2): "Australia/Sydney",
    Site("los-angeles", latitude=34.1, longitude=-118.2): "America/Los_Angeles",
    Site("kathmandu", latitude=27.7, longitude=85.3): "Asia/Kathmandu",
}
_SILENCES = tuple((day * DAY, (day + 3) * DAY) for day in (40.3, 130.6, 220.9, 310.2))
_PV = (Kind.SUMMARY,)
_BATTERY = (Kind.SUMMARY, Kind.BATTERY)
_ALL = (Kind.SUMMARY, Kind.BATTERY, Kind.LATEST)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A year with one API key, and its difficulties."""

    kinds: tuple[Kind, ...]
    sites: tuple[Site, ...] = (_HOME,)
    plan: Plan = PLANS["watt"]
    # The time zone of the cloud's months, which is not documented.
    time_zone: str = "UTC"
    foreign_calls_per_month: int = 0
    storms_per_month: int = 0
    failure_rate: float = 0.0
    restarts_nightly: bool = False
    killed_daily: bool = False
    # Whether devices, panels and alarms are requested, before dawn.
    has_groups: bool = False

    @property
    def effort(self) -> int:
        """Return roughly how long the simulation takes, in arbitrary units."""
        return len(self.kinds) * len(self.sites) * self.plan.calls_per_month


SCENARIOS = {
    "watt-pv-only": Scenario(_PV),
    "watt-battery": Scenario(_BATTERY),
    "watt-battery-and-power": Scenario(_ALL),
    "watt-steady-uploads": Scenario(_BATTERY, sites=(replace(_HOME, steady=True),)),
    "watt-two-systems": Scenario(
        _BATTERY, sites=(_HOME, Site("hut", latitude=46.5, longitude=8.0))
    ),
    **{
        f"watt-{place.name}": Scenario(_BATTERY, sites=(place,), time_zone=time_zone)
        for place, time_zone in _PLACES.items()
    },
    "watt-groups": Scenario(_BATTERY, has_groups=True),
    "watt-nightly-restarts": Scenario(_BATTERY, restarts_nightly=True),
    "watt-daily-kill": Scenario(_BATTERY, killed_daily=True),
    "watt-other-program": Scenario(_BATTERY, foreign_calls_per_month=200),
    "watt-storms": Scenario(_BATTERY, storms_per_month=8),
    "watt-failures": Scenario(_BATTERY, failure_rate=0.03),
    "watt-silent-gateway": Scenario(
        _BATTERY, sites=(replace(_HOME, silences=_SILENCES),)
    ),
    "watt-cellular": Scenario(_BATTERY, sites=(replace(_HOME, cellular=True),)),
    "kilowatt-battery-and-power": Scenario(_ALL, plan=PLANS["kilowatt"]),
}
