"""One frame of live data: GET /systems/{id}/live_data."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Self, override

from ..exceptions import MalformedResponseError
from .convert import (
    OpenEnum,
    to_datetime,
    to_object,
    to_power,
    to_text,
    to_whole_percentage,
)

MEASURED_FIELDS: Final = frozenset(
    {
        "battery_mode",
        "battery_power",
        "battery_soc",
        "consumption_power",
        "generator_power",
        "grid_power",
        "grid_status",
        "pv_power",
    }
)
FRAME_FIELDS: Final = MEASURED_FIELDS | {
    "system_id",
    "timestamp_epoch",
    "timestamp_utc",
}


class GridStatus(OpenEnum):
    """Whether the system is connected to the grid."""

    ON_GRID = "on_grid"
    OFF_GRID = "off_grid"
    UNKNOWN = "unknown"


class BatteryMode(OpenEnum):
    """The storage mode of the battery.

    It is GRID_SERVICES while a program of a utility controls the battery.
    """

    SAVINGS = "savings"
    SELF_CONSUMPTION = "self_consumption"
    FULL_BACKUP = "full_backup"
    GRID_SERVICES = "grid_services"
    UNKNOWN = "unknown"

    @override
    @classmethod
    def aliases(cls) -> Mapping[str, Self]:
        return {"savingsmode": cls("savings"), "dreventactive": cls("grid_services")}


class LiveFrame(NamedTuple):
    """The measurements of a system at one time.

    Power is in W: grid positive for import, battery positive for discharge. The state
    of charge is in %. Missing and implausible values are None. If a system has several
    gateways, the frame has the measurements of one of them.
    """

    sampled_at: datetime
    production: int | None
    consumption: int | None
    grid: int | None
    battery: int | None
    generator: int | None
    state_of_charge: int | None
    grid_status: GridStatus | None
    battery_mode: BatteryMode | None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read a frame without wrappers.

        Raises MalformedResponseError if it has no time or no measurement.
        """
        message = to_object(data)
        frame = cls(
            sampled_at=_sampled_at(message),
            production=to_power(message.get("pv_power")),
            consumption=to_power(message.get("consumption_power")),
            grid=to_power(message.get("grid_power")),
            battery=to_power(message.get("battery_power")),
            generator=to_power(message.get("generator_power")),
            state_of_charge=to_whole_percentage(message.get("battery_soc")),
            grid_status=_named(GridStatus, message.get("grid_status")),
            battery_mode=_named(BatteryMode, message.get("battery_mode")),
        )
        if _is_empty(frame):
            raise MalformedResponseError("The frame has no measurement")
        return frame


def _is_empty(frame: LiveFrame) -> bool:
    return (
        frame.production is None
        and frame.consumption is None
        and frame.grid is None
        and frame.battery is None
        and frame.generator is None
        and frame.state_of_charge is None
        and frame.grid_status is None
        and frame.battery_mode is None
    )


def _sampled_at(message: Mapping[str, Any]) -> datetime:
    moment = to_datetime(message.get("timestamp_epoch"))
    if moment is None:
        moment = _to_utc(message.get("timestamp_utc"))
    if moment is None:
        raise MalformedResponseError("The frame has no time")
    return moment


def _to_utc(value: object) -> datetime | None:
    """Return the time of a text such as "2026-06-01 12:00:00.5".

    It is in UTC unless it has an offset.
    """
    try:
        moment = datetime.fromisoformat(to_text(value) or "")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return to_datetime(moment.timestamp())
    except OverflowError, ValueError:
        return None


def _named[MemberT: OpenEnum](
    enumeration: type[MemberT], value: object
) -> MemberT | None:
    return enumeration.from_api(value) if isinstance(value, str) and value else None
