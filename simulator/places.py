"""Places for the demo, in all time zones: at one of them it is about noon."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .world import Address

_NOON = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Place:
    """A place: its time zone, coordinates and address."""

    time_zone: str
    latitude: float
    longitude: float
    address: Address


def _place(
    time_zone: str, latitude: float, longitude: float, *address: str
) -> tuple[str, Place]:
    city, state, country, code = address
    where = Address(city=city, state=state, country=country, postal_code=code)
    return time_zone, Place(time_zone, latitude, longitude, where)


# All are near the equator: at noon the sun is high in every season. Their time zones
# are an hour apart, and few have daylight saving time.
PLACES = dict(
    (
        _place("Pacific/Pago_Pago", -14.3, -170.7, "Pago Pago", "AS", "US", "96799"),
        _place("Pacific/Honolulu", 21.3, -157.9, "Honolulu", "HI", "US", "96813"),
        _place("Pacific/Gambier", -23.1, -135.0, "Rikitea", "", "PF", "98755"),
        _place("America/Los_Angeles", 37.8, -122.3, "Oakland", "CA", "US", "94601"),
        _place("America/Phoenix", 33.4, -112.1, "Phoenix", "AZ", "US", "85004"),
        _place("America/Mexico_City", 19.4, -99.1, "Coyoacán", "CMX", "MX", "04000"),
        _place("America/Jamaica", 18.0, -76.8, "Kingston", "", "JM", ""),
        _place("America/Puerto_Rico", 18.4, -66.1, "San Juan", "PR", "US", "00901"),
        _place("America/Sao_Paulo", -23.2, -45.9, "São José", "SP", "BR", "12200"),
        _place("America/Noronha", -3.8, -32.4, "Noronha", "PE", "BR", "53990"),
        _place("Atlantic/Cape_Verde", 14.9, -23.5, "Praia", "", "CV", "7600"),
        _place("Africa/Dakar", 14.7, -17.4, "Dakar", "", "SN", "12500"),
        _place("Africa/Tunis", 36.8, 10.2, "Tunis", "", "TN", "1000"),
        _place("Africa/Johannesburg", -26.2, 28.0, "Sandton", "GP", "ZA", "2196"),
        _place("Africa/Nairobi", -1.3, 36.8, "Nairobi", "", "KE", "00100"),
        _place("Indian/Reunion", -20.9, 55.5, "Saint-Denis", "", "RE", "97400"),
        _place("Indian/Maldives", 4.2, 73.5, "Malé", "", "MV", "20026"),
        _place("Asia/Dhaka", 23.8, 90.4, "Dhaka", "", "BD", "1205"),
        _place("Asia/Bangkok", 13.8, 100.5, "Bangkok", "", "TH", "10110"),
        _place("Australia/Perth", -31.9, 115.9, "Perth", "WA", "AU", "6000"),
        _place("Asia/Tokyo", 35.7, 139.7, "Tokyo", "", "JP", "154-0017"),
        _place("Australia/Brisbane", -27.5, 153.0, "Brisbane", "QLD", "AU", "4000"),
        _place("Pacific/Noumea", -22.3, 166.4, "Nouméa", "", "NC", "98800"),
        _place("Pacific/Fiji", -18.1, 178.4, "Suva", "", "FJ", ""),
    )
)
OAKLAND = PLACES["America/Los_Angeles"]


def place_at_noon(now: datetime) -> Place:
    """Return the place with the local time nearest to noon."""
    return min(PLACES.values(), key=lambda place: _from_noon(place, now))


def _from_noon(place: Place, now: datetime) -> timedelta:
    local = now.astimezone(ZoneInfo(place.time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    # Both have the same tzinfo, so the difference is that of local times.
    return abs(local - midnight - _NOON)
