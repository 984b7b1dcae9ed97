"""The systems of an account: GET /systems and POST /systems/search."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from ..exceptions import MalformedResponseError
from .convert import (
    OpenEnum,
    to_count,
    to_datetime,
    to_identifier,
    to_object,
    to_text,
    to_word,
)

_NAMELESS: Final = "Enphase System"
_LARGEST_PAGE: Final = 1_000


class SystemStatus(OpenEnum):
    """The status of a system; the API reference lists these."""

    NORMAL = "normal"
    ANY = "any"
    BATTERY = "battery"
    COMM = "comm"
    DATA_UPLOAD = "data_upload"
    DEACTIVATED = "deactivated"
    DEBUG = "debug"
    DISABLED = "disabled"
    ENCHARGE = "encharge"
    ENCHARGE_ISSUE = "encharge_issue"
    ENPOWER = "enpower"
    ENPOWER_ISSUE = "enpower_issue"
    ERROR = "error"
    GRID_UNKNOWN = "grid_unknown"
    INFO = "info"
    METER = "meter"
    METER_ISSUE = "meter_issue"
    MICRO = "micro"
    MONITORED = "monitored"
    MUTED = "muted"
    NO_DATA = "no_data"
    NOT_MONITORED = "not_monitored"
    NSR = "nsr"
    OFF_GRID = "off_grid"
    ON_GRID = "on_grid"
    POWER = "power"
    RETIRED = "retired"
    RMA = "rma"
    STORAGE_IDLE = "storage_idle"
    UNUSED = "unused"
    WARNING = "warning"
    UNKNOWN = "unknown"


class ConnectionType(OpenEnum):
    """How the gateway connects to the cloud; on cellular it reports every 6 hours."""

    ETHERNET = "ethernet"
    WIFI = "wifi"
    CELLULAR = "cellular"
    UNKNOWN = "unknown"


class System(NamedTuple):
    """One system.

    `time_zone` should be an IANA name; days of the cloud are days there. `live_stream`
    is whether live data is enabled, None if the request did not include it.
    `last_energy_at` is when production was last reported, `operational_at` when the
    system began to operate. The address is not kept.
    """

    system_id: int
    name: str
    public_name: str | None
    time_zone: str | None
    status: SystemStatus
    connection_type: ConnectionType
    last_report_at: datetime | None
    last_energy_at: datetime | None
    operational_at: datetime | None
    live_stream: bool | None

    @property
    def is_named(self) -> bool:
        """Whether the cloud reported a name."""
        return self.name != _NAMELESS

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read one system.

        Raises MalformedResponseError if it has no id.
        """
        data = to_object(data)
        public_name = to_text(data.get("public_name"))
        return cls(
            system_id=to_identifier(data.get("system_id")),
            name=to_text(data.get("name")) or public_name or _NAMELESS,
            public_name=public_name,
            time_zone=to_text(data.get("timezone")),
            status=SystemStatus.from_api(data.get("status")),
            connection_type=ConnectionType.from_api(data.get("connection_type")),
            last_report_at=to_datetime(data.get("last_report_at")),
            last_energy_at=to_datetime(data.get("last_energy_at")),
            operational_at=to_datetime(data.get("operational_at")),
            live_stream=_to_switch(data.get("live_stream")),
        )


class SystemsPage(NamedTuple):
    """One page of systems.

    `listed` is the number of entries on the page, readable or not; `total` that on all
    pages, None if the cloud does not report it.
    """

    systems: tuple[System, ...]
    listed: int
    total: int | None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read one page; skip unreadable systems.

        Raises MalformedResponseError without a list, or if all systems are unreadable.
        """
        data = to_object(data)
        entries = data.get("systems")
        if not isinstance(entries, list):
            raise MalformedResponseError("The response has no list of systems")
        systems = tuple(_readable(entries))
        if entries and not systems:
            raise MalformedResponseError("No system is readable")
        return cls(
            systems=systems, listed=len(entries), total=to_count(data.get("total"))
        )

    @property
    def by_id(self) -> Mapping[int, System]:
        """Return the systems by their ids."""
        return {system.system_id: system for system in self.systems}


def system_id_from_api(data: Mapping[str, Any]) -> int:
    """Return the id of the system that a gateway belongs to.

    Raises MalformedResponseError if the document has no system id.
    """
    return to_identifier(to_object(data).get("system_id"))


def _readable(entries: list[Any]) -> list[System]:
    systems = []
    for entry in entries[:_LARGEST_PAGE]:
        try:
            systems.append(System.from_api(entry))
        except MalformedResponseError:
            continue
    return systems


def _to_switch(value: object) -> bool | None:
    """Return True for "enabled", False for "disabled", else None."""
    return {"enabled": True, "disabled": False}.get(to_word(value))
