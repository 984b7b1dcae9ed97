"""Plans of the Enphase developer portal, as data."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ..api.access import Access


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits, access and prices of an API key.

    The limits count requests of the whole key. Prices are in US dollars; that of one
    live stream is None if the plan has none. If calls beyond the first `free_calls` of
    a month are billed one by one, a dollar pays for `calls_per_dollar`.
    """

    key: str
    calls_per_minute: int
    calls_per_month: int
    access: frozenset[Access]
    live_stream_price: float | None
    free_calls: int | None = None
    calls_per_dollar: int | None = None

    def limited_to(self, dollars: int) -> Plan:
        """Return the plan with the calls a month that an amount of dollars pays for."""
        if self.free_calls is None or self.calls_per_dollar is None:
            return self
        calls = self.free_calls + dollars * self.calls_per_dollar
        return replace(self, calls_per_month=min(calls, self.calls_per_month))

    def cost(self, calls: int) -> float:
        """Return the cost [USD] of a month's calls beside the plan's fixed price."""
        if self.free_calls is None or self.calls_per_dollar is None:
            return 0.0
        return max(0, calls - self.free_calls) / self.calls_per_dollar

    @property
    def has_live_stream(self) -> bool:
        """Whether the plan includes live streams."""
        return Access.STREAMING in self.access


_WATT = frozenset(
    {
        Access.SYSTEM_DETAILS,
        Access.PRODUCTION,
        Access.CONSUMPTION,
        Access.EV_MONITORING,
    }
)
_KILOWATT = _WATT | {Access.DEVICES, Access.STREAMING}
_MEGAWATT = _KILOWATT | {Access.CONFIGURATION}
_PARTNER = _MEGAWATT | {Access.EV_CONTROL}

LIVE_STREAM_PRICE = 0.10

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        plan.key: plan
        for plan in (
            Plan("watt", 10, 1_000, _WATT, None),
            Plan("kilowatt", 50, 50_000, _KILOWATT, LIVE_STREAM_PRICE),
            Plan("megawatt", 100, 300_000, _MEGAWATT, LIVE_STREAM_PRICE),
            Plan(
                "partner",
                300,
                1_500_000,
                _PARTNER,
                LIVE_STREAM_PRICE,
                free_calls=10_000,
                calls_per_dollar=200,
            ),
        )
    }
)


def custom_plan(
    *, calls_per_minute: int, calls_per_month: int, live_stream: bool
) -> Plan:
    """Return a plan of the user's own figures.

    Its access controls are unknown, so it has all of them, streaming only with
    `live_stream`; the cloud's responses decide. Raises ValueError unless both limits
    are positive.
    """
    if calls_per_minute < 1 or calls_per_month < 1:
        raise ValueError("A plan allows at least one call a minute and a month")
    access = frozenset(Access)
    return Plan(
        key="custom",
        calls_per_minute=calls_per_minute,
        calls_per_month=calls_per_month,
        access=access if live_stream else access - {Access.STREAMING},
        live_stream_price=LIVE_STREAM_PRICE if live_stream else None,
    )


def strictest(plans: Collection[Plan]) -> Plan:
    """Return what is allowed by each of several plans for one API key.

    It is the plan with the fewest calls a month, with the lowest limit a minute.
    """
    plan = min(plans, key=lambda plan: plan.calls_per_month)
    return replace(plan, calls_per_minute=min(p.calls_per_minute for p in plans))
