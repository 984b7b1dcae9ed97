"""Units of prices."""

import pytest

from custom_components.enphase_cloud.coordinator.price_entities import price_factor


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("EUR/kWh", 1e6),
        ("EUR/MWh", 1e3),
        ("EUR/mwh", 1e3),
        ("€/Wh", 1e9),
        ("ct/kWh", 1e4),
        ("c / kWh", 1e4),
        ("p/kWh", 1e4),
        ("öre/kWh", 1e4),
        ("EUR/MJ", 3.6e6),
        ("EUR/hour", 1e6),
        ("EUR", 1e6),
        ("", 1e6),
        (None, 1e6),
    ],
)
def test_units_say_what_prices_mean(unit: str | None, factor: float) -> None:
    """Millionths of the currency per kWh."""
    assert price_factor(unit) == pytest.approx(factor)
