"""The access controls of a developer application."""

from enum import StrEnum


class Access(StrEnum):
    """An access control of a developer application, spelled as in the portal."""

    SYSTEM_DETAILS = "System Details"
    PRODUCTION = "Site Level Production Monitoring"
    CONSUMPTION = "Site Level Consumption Monitoring"
    DEVICES = "Device Level Monitoring"
    CONFIGURATION = "System Configurations"
    STREAMING = "Streaming APIs"
    EV_MONITORING = "EV Charger Monitoring"
    EV_CONTROL = "EV Charger Control"
