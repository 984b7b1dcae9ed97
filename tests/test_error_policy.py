"""The table of the consequence and the message of each error of the client."""

import inspect
from string import Formatter

from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.enphase_cloud import api
from custom_components.enphase_cloud.api import (
    ConnectionNotEstablishedError,
    EnphaseCloudError,
    EnphaseTimeoutError,
    ForbiddenError,
    InvalidApiKeyError,
    InvalidGrantError,
    MinuteQuotaError,
    NotEntitledError,
    RequestWithheldError,
    ServerError,
    UnknownSystemError,
)
from custom_components.enphase_cloud.api.access import Access
from custom_components.enphase_cloud.coordinator.error_policy import (
    ACCESS_CONTROLS,
    ERROR_POLICIES,
    Consequence,
    error_policy,
    explained,
    refused,
)
from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.runtime.storage import Refusal
from simulator import AccessControl as PortalAccessControl

from .flows import ENGLISH

SUMMARY = "summary"
ERRORS = [
    kind
    for _name, kind in inspect.getmembers(api, inspect.isclass)
    if issubclass(kind, EnphaseCloudError)
]


@pytest.mark.parametrize(
    ("err", "consequence"),
    [
        (RequestWithheldError(until=None, reason="x"), Consequence.WAIT),
        (MinuteQuotaError(SUMMARY), Consequence.WAIT_FOR_QUOTA),
        (ConnectionNotEstablishedError(SUMMARY, 552), Consequence.RETRY),
        (EnphaseTimeoutError(), Consequence.BACK_OFF),
        (ServerError(SUMMARY, 500), Consequence.BACK_OFF),
        (NotEntitledError(SUMMARY, 401), Consequence.REFUSE_DOCUMENT),
        (ForbiddenError(SUMMARY, 403), Consequence.FORBID_SYSTEM),
        (UnknownSystemError(SUMMARY, 404), Consequence.UNKNOWN_SYSTEM),
        (InvalidApiKeyError(SUMMARY, 401, mismatch=False), Consequence.REFUSE_KEY),
        (InvalidGrantError(400), Consequence.REAUTH),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_consequence(
    err: EnphaseCloudError, consequence: Consequence
) -> None:
    """401 and 403 have different consequences; neither starts reauthentication."""
    assert error_policy(err).consequence is consequence


@pytest.mark.parametrize("kind", ERRORS)
def test_each_row_comes_before_its_base_classes(kind: type[EnphaseCloudError]) -> None:
    """The first matching row is that of the nearest class."""
    matching = [row for row in ERROR_POLICIES if issubclass(kind, row)]
    nearest = next(parent for parent in kind.__mro__ if parent in ERROR_POLICIES)
    assert matching[0] is nearest


@pytest.mark.parametrize(
    "message", sorted({policy.message for policy in ERROR_POLICIES.values()})
)
def test_each_message_has_all_placeholders(message: str) -> None:
    """`explained` provides all placeholders of the message."""
    provided = explained(
        HomeAssistantError, EnphaseCloudError("x"), Source.LIVE
    ).translation_placeholders
    text = ENGLISH["exceptions"][message]["message"]
    required = {name for _, name, _, _ in Formatter().parse(text) if name}
    assert provided is not None
    assert required <= set(provided)


def test_access_controls_are_spelled_as_in_the_portal() -> None:
    """The simulator has the tags of the official specification."""
    assert {str(access) for access in Access} == {
        str(access) for access in PortalAccessControl
    }
    assert set(ACCESS_CONTROLS) == set(Source)


@pytest.mark.parametrize("refusal", Refusal)
def test_stored_refusal_has_the_message_of_its_error(refusal: Refusal) -> None:
    """The user reads the same message, whether the error is new or stored."""
    errors: dict[Refusal, EnphaseCloudError] = {
        Refusal.NOT_ENTITLED: NotEntitledError("live_data", 401),
        Refusal.FORBIDDEN: ForbiddenError("live_data", 403),
    }
    new = explained(HomeAssistantError, errors[refusal], Source.LIVE)
    stored = refused(refusal, Source.LIVE)
    assert stored.translation_key == new.translation_key == refusal
    assert stored.translation_placeholders == {
        "access_control": "Streaming APIs",
        "plan": "Kilowatt",
    }
