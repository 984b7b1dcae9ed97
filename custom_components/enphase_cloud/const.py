"""Constants of the Enphase Cloud integration."""

from datetime import timedelta
from typing import Final

DOMAIN: Final = "enphase_cloud"

# The hosts of the cloud: the API with its token endpoint, and what users open.
DEFAULT_CLOUD_URL: Final = "https://api.enphaseenergy.com"
DEVELOPER_PORTAL_URL: Final = "https://developer-v4.enphase.com"
APP_URL: Final = "https://enlighten.enphaseenergy.com"
# Points the integration at another server, for development and the demo.
ENV_CLOUD_URL: Final = "ENPHASE_CLOUD_URL"

CONF_ACCOUNT_ID: Final = "enl_uid"
CONF_ALARM_REPAIRS: Final = "alarm_repairs"
CONF_AZIMUTH: Final = "azimuth"
CONF_BURST_LENGTH: Final = "burst_length"
CONF_BURST_PAUSE: Final = "burst_pause"
CONF_CALL_BUDGET: Final = "call_budget"
CONF_CALLS_PER_MINUTE: Final = "calls_per_minute"
CONF_CALLS_PER_MONTH: Final = "calls_per_month"
CONF_ENERGY_DASHBOARD: Final = "energy_dashboard"
CONF_ENERGY_UPDATES: Final = "energy_updates"
CONF_GROUPS: Final = "groups"
CONF_HISTORY: Final = "history"
CONF_LIVE_BEGIN: Final = "live_begin"
CONF_LIVE_BURSTS: Final = "live_bursts"
CONF_LIVE_END: Final = "live_end"
CONF_LIVE_HOURS: Final = "live_hours"
CONF_LIVE_STREAM: Final = "live_stream"
CONF_NEW_KEY: Final = "new_key"
CONF_PANELS: Final = "panels"
CONF_PANEL_STATISTICS: Final = "panel_statistics"
CONF_PLAN: Final = "plan"
CONF_PROFILE: Final = "profile"
CONF_PUBLISH_INTERVAL: Final = "publish_interval"
CONF_SIGN_IN_BY_CODE: Final = "sign_in_by_code"
CONF_SIGNED_IN_AT: Final = "signed_in_at"
CONF_STREAMS_PER_MONTH: Final = "streams_per_month"
CONF_SYSTEM: Final = "system"
CONF_SYSTEMS: Final = "systems"
CONF_TILT: Final = "tilt"
CONF_TIME_ZONE: Final = "time_zone"
CONF_CONNECTION: Final = "connection"

SUBENTRY_ARRAY: Final = "array"
SUBENTRY_TARIFF: Final = "tariff"

EVENT_SETTING: Final = f"{DOMAIN}_setting"
"""What somebody set, and what became of it."""

ATTR_MEASURED_AT: Final = "measured_at"

PLAN_CUSTOM: Final = "custom"

MIN_STREAM: Final = timedelta(seconds=30)
MAX_STREAM: Final = timedelta(seconds=300)
# The longest live session that one request starts, as a chain of streams.
MAX_LIVE: Final = timedelta(seconds=3600)
