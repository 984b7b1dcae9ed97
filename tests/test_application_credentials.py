"""The user's own developer application."""

from homeassistant.components.application_credentials import (
    DOMAIN as APPLICATION_CREDENTIALS,
    ClientCredential,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.enphase_cloud.application_credentials import (
    async_get_auth_implementation,
)
from custom_components.enphase_cloud.const import (
    DEFAULT_CLOUD_URL,
    DEVELOPER_PORTAL_URL,
    DOMAIN,
    ENV_CLOUD_URL,
)

from .flows import ENGLISH, placeholders


@pytest.mark.parametrize(
    ("my_home_assistant", "redirect_url"),
    [
        (True, "https://my.home-assistant.io/redirect/oauth"),
        (False, "https://<your Home Assistant>/auth/external/callback"),
    ],
)
async def test_credentials_dialog_shows_portal_and_redirect_url(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    hass_ws_client: WebSocketGenerator,
    redirect_url: str,
    *,
    my_home_assistant: bool,
) -> None:
    """Home Assistant offers the dialog, with the values that the portal needs."""
    assert await async_setup_component(hass, APPLICATION_CREDENTIALS, {})
    if my_home_assistant:
        hass.config.components.add("my")
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": f"{APPLICATION_CREDENTIALS}/config"})
    response = (await client.receive_json())["result"]
    assert DOMAIN in response["domains"]
    given = response["integrations"][DOMAIN]["description_placeholders"]
    assert given == {"portal_url": DEVELOPER_PORTAL_URL, "redirect_url": redirect_url}
    text = ENGLISH[APPLICATION_CREDENTIALS]["description"]
    assert placeholders(text) == set(given)


async def test_implementation_has_user_name_and_authorize_url(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application signs in at Enphase, and keeps the name that the user chose."""
    monkeypatch.delenv(ENV_CLOUD_URL, raising=False)
    implementation = await async_get_auth_implementation(
        hass, "mine", ClientCredential("an id", "a secret", "Roof")
    )
    assert implementation.name == "Roof"
    assert implementation.domain == "mine"
    hass.config.components.add("my")
    address = await implementation.async_generate_authorize_url("a flow")
    assert address.startswith(f"{DEFAULT_CLOUD_URL}/oauth/authorize?")
