"""The operations of the cloud that this client knows."""

from enum import StrEnum


class Operation(StrEnum):
    """What one request asks the cloud to do; budgets and errors name it."""

    TOKEN = "token"  # noqa: S105 (a name, no secret)
    SYSTEMS = "systems"
    SEARCH_SYSTEMS = "search_systems"
    SUMMARY = "summary"
    BATTERY_TELEMETRY = "battery_telemetry"
    LATEST_TELEMETRY = "latest_telemetry"
    LIVE_DATA = "live_data"
