"""What the options form promises."""

from datetime import timedelta

import pytest

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.quota.plans import PLANS, custom_plan
from custom_components.enphase_cloud.scheduling.forecast import preview
from custom_components.enphase_cloud.scheduling.weights import (
    POLLED,
    PolledDocument,
    Profile,
    Weight,
)

QUARTER = timedelta(minutes=15)
BATTERY_SYSTEM = [PolledDocument("home", document) for document in POLLED]


def test_nearly_all_of_a_small_plan_is_planned_with() -> None:
    """The rest is kept for the user and for sign-ins."""
    promised = preview(
        PLANS["watt"],
        profile=Profile.BALANCED,
        polled_documents=[PolledDocument("home", Source.SUMMARY)],
    )
    assert 930 <= promised.calls_per_month <= 970
    summary = promised.documents[Source.SUMMARY]
    assert summary.by_day is not None
    assert timedelta(minutes=20) < summary.by_day < timedelta(minutes=25)
    assert summary.by_night is None


def test_a_large_plan_asks_for_all_news() -> None:
    """And for no more than there is."""
    promised = preview(
        PLANS["kilowatt"], profile=Profile.BALANCED, polled_documents=BATTERY_SYSTEM
    )
    assert {each.by_day for each in promised.documents.values()} == {QUARTER}
    # The battery and the powers day and night, the summary by day.
    assert promised.calls_per_month == 30 * 96 * 2.5


@pytest.mark.parametrize(
    ("profile", "favoured"),
    [
        (Profile.BATTERY_FIRST, Source.BATTERY),
        (Profile.PRODUCTION_FIRST, Source.LATEST),
    ],
)
def test_a_profile_makes_its_document_freshest(
    profile: Profile, favoured: Source
) -> None:
    """The others pay for it."""
    promised = preview(PLANS["watt"], profile=profile, polled_documents=BATTERY_SYSTEM)
    balanced = preview(
        PLANS["watt"], profile=Profile.BALANCED, polled_documents=BATTERY_SYSTEM
    )
    by_day = {
        document: each.by_day or timedelta.max
        for document, each in promised.documents.items()
    }
    assert min(by_day, key=lambda document: by_day[document]) is favoured
    usual = balanced.documents[favoured].by_day
    assert usual is not None
    assert by_day[favoured] < usual


def test_other_calls_are_deducted() -> None:
    """Those of energy and of periodic requests count, and leave fewer for updates."""
    both = [
        preview(
            PLANS["watt"],
            profile=Profile.BALANCED,
            polled_documents=BATTERY_SYSTEM,
            others_per_day=others,
        )
        for others in (0, 10)
    ]
    usual, fewer = (each.documents[Source.BATTERY].by_day for each in both)
    assert usual is not None
    assert fewer is not None
    assert fewer / usual == pytest.approx(955 / (955 - 300), rel=0.01)
    assert both[1].calls_per_month == pytest.approx(both[0].calls_per_month, abs=1)


def test_of_different_systems_the_freshest_counts() -> None:
    """Beside other documents the summary is less important."""
    hut = PolledDocument("hut", Source.SUMMARY)
    expected = [
        preview(
            PLANS["watt"], profile=Profile.BALANCED, polled_documents=polled
        ).documents[Source.SUMMARY]
        for polled in ([hut, *BATTERY_SYSTEM], [*BATTERY_SYSTEM, hut])
    ]
    alone = preview(
        PLANS["watt"], profile=Profile.BALANCED, polled_documents=BATTERY_SYSTEM
    )
    assert expected[0] == expected[1]
    of_home = alone.documents[Source.SUMMARY].by_day
    assert expected[0].by_day is not None
    assert of_home is not None
    assert expected[0].by_day < of_home


def test_systems_share_a_key() -> None:
    """Twice the systems, half the freshness; the same calls."""
    plan = custom_plan(calls_per_minute=10, calls_per_month=1_000, live_stream=False)
    both = [PolledDocument(system, Source.BATTERY) for system in ("home", "hut")]
    one = preview(plan, profile=Profile.BALANCED, polled_documents=both[:1])
    two = preview(plan, profile=Profile.BALANCED, polled_documents=both)
    alone, shared = (each.documents[Source.BATTERY].by_day for each in (one, two))
    assert alone is not None
    assert shared is not None
    assert shared / alone == pytest.approx(2)
    assert one.calls_per_month == two.calls_per_month


def test_a_mean_weight_is_between_those_of_day_and_night() -> None:
    weight = Weight(day=4, night=1)
    assert [weight.mean(day=day) for day in (0, 0.5, 1)] == [1, 2.5, 4]


def test_without_feeds_there_is_nothing_to_promise() -> None:
    """No system was chosen yet."""
    promised = preview(PLANS["watt"], profile=Profile.BALANCED, polled_documents=[])
    assert promised.calls_per_month == 0
    assert not promised.documents
