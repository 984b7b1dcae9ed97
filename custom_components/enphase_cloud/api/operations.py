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
    PRODUCTION_METER_TELEMETRY = "production_meter_telemetry"
    PRODUCTION_MICRO_TELEMETRY = "production_micro_telemetry"
    CONSUMPTION_TELEMETRY = "consumption_telemetry"
    IMPORT_TELEMETRY = "import_telemetry"
    EXPORT_TELEMETRY = "export_telemetry"
    PRODUCTION_LIFETIME = "production_lifetime"
    CONSUMPTION_LIFETIME = "consumption_lifetime"
    IMPORT_LIFETIME = "import_lifetime"
    EXPORT_LIFETIME = "export_lifetime"
    BATTERY_LIFETIME = "battery_lifetime"
