"""Walks through flows as a user does; whatever a flow shows must be translated."""

import asyncio
from collections.abc import Callable, Iterable
import json
from pathlib import Path
import re
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest
import voluptuous as vol
from yarl import URL

import custom_components.enphase_cloud
from custom_components.enphase_cloud.const import DOMAIN

from .world import EMAIL, PASSWORD

INTEGRATION = Path(custom_components.enphase_cloud.__file__).parent
ENGLISH: dict[str, Any] = json.loads(
    (INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8")
)


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop work until something is so."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("It did not come to that")


# Forms that ask only for what there is to choose.
SOME_FIELDS = {"dashboard_choices", "api_key", "devices"}
# Home Assistant shows its dialog for credentials, or a text of its own, instead.
NOT_SHOWN = {"missing_credentials", "oauth_implementation_unavailable"}


def placeholders(text: str) -> set[str]:
    """Return the names that a text wants filled in."""
    return set(re.findall(r"{(\w+)}", text))


def field_names(schema: vol.Schema | None) -> set[str]:
    """Return the fields of a form."""
    return set() if schema is None else {str(field) for field in schema.schema}


def required(result: ConfigFlowResult) -> set[str]:
    """Return the fields that a form wants filled in."""
    schema = result["data_schema"]
    assert schema is not None
    return {str(field) for field in schema.schema if isinstance(field, vol.Required)}


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the fields of a form are filled with."""
    schema = result["data_schema"]
    assert schema is not None
    return {
        str(field): field.description["suggested_value"]
        for field in schema.schema
        if field.description and "suggested_value" in field.description
    }


def assert_translated(result: ConfigFlowResult) -> ConfigFlowResult:
    """Hold what a flow shows against en.json, as Home Assistant's own tests do."""
    section = "config" if result["handler"] == DOMAIN else "options"
    given = set(result.get("description_placeholders") or {})
    if result["type"] is FlowResultType.MENU:
        texts = ENGLISH[section]["step"][result["step_id"]]
        assert set(result["menu_options"]) <= set(texts["menu_options"])
        _assert_filled([texts["title"], texts.get("description", "")], given)
    if result["type"] is FlowResultType.ABORT and result["reason"] not in NOT_SHOWN:
        _assert_filled([ENGLISH[section]["abort"][result["reason"]]], given)
    if result["type"] is FlowResultType.FORM:
        texts = ENGLISH[section]["step"][result["step_id"]]
        fields = field_names(result["data_schema"])
        for kind in ("data", "data_description"):
            named = texts.get(kind, {})
            others = set(named) - fields
            assert set(named) == fields | others, f"{kind} of {result['step_id']}"
            assert not others or result["step_id"] in SOME_FIELDS
            _assert_filled(named.values(), given)
        errors = (result["errors"] or {}).values()
        _assert_filled(
            [
                texts["title"],
                texts.get("description", ""),
                *(ENGLISH[section]["error"][error] for error in errors),
            ],
            given,
        )
    return result


def _assert_filled(texts: Iterable[str], given: set[str]) -> None:
    for text in texts:
        assert placeholders(text) <= given, text


class User:
    """Somebody before the forms of Home Assistant and the pages of Enphase."""

    def __init__(self, hass: HomeAssistant, client: TestClient[Any, Any]) -> None:
        """Sit down."""
        self._hass = hass
        self._client = client

    @property
    def _flow(self) -> Any:
        return self._hass.config_entries.flow

    async def add(self) -> ConfigFlowResult:
        """Begin to add an account."""
        return assert_translated(
            await self._flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        )

    async def reconfigure(self, entry: ConfigEntry[Any]) -> ConfigFlowResult:
        """Begin to change an account."""
        return assert_translated(
            await self._flow.async_init(
                DOMAIN,
                context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id},
            )
        )

    async def submit(
        self, result: ConfigFlowResult, **user_input: Any
    ) -> ConfigFlowResult:
        """Submit a form."""
        assert result["type"] in (FlowResultType.FORM, FlowResultType.MENU), result
        shown = await self._flow.async_configure(result["flow_id"], user_input)
        await self._hass.async_block_till_done()
        return assert_translated(shown)

    async def approve(
        self,
        result: ConfigFlowResult,
        *,
        email: str = EMAIL,
        password: str = PASSWORD,
        decision: str = "approve",
    ) -> URL:
        """Fill in the sign-in page; return where it sends the browser to."""
        assert result["type"] is FlowResultType.EXTERNAL_STEP
        page = URL(result["url"])
        async with async_get_clientsession(self._hass).post(
            page.with_query(None),
            data={
                **page.query,
                "email": email,
                "password": password,
                "decision": decision,
            },
            allow_redirects=False,
        ) as response:
            assert response.status == 302, await response.text()
            return URL(response.headers["Location"])

    async def come_back(self, address: URL) -> None:
        """Follow the way back to Home Assistant."""
        response = await self._client.get(address.path_qs)
        assert response.status == 200

    async def proceed(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Return what a flow shows after the way back."""
        shown = await self._flow.async_configure(result["flow_id"])
        await self._hass.async_block_till_done()
        return assert_translated(shown)

    async def sign_in(
        self, result: ConfigFlowResult, **answers: str
    ) -> ConfigFlowResult:
        """Sign in at Enphase and come back."""
        await self.come_back(await self.approve(result, **answers))
        return await self.proceed(result)

    async def add_and_sign_in(self, **answers: str) -> ConfigFlowResult:
        """Begin to add an account, and sign in to it."""
        shown = await self.add()
        if shown["type"] is FlowResultType.MENU:
            # Another sign-in was given up.
            shown = await self.submit(shown, next_step_id="browser")
        return await self.sign_in(shown, **answers)
