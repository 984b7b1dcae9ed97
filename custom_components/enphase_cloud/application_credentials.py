"""Application credentials of Enphase Cloud: the user's own developer application."""

from homeassistant.components.application_credentials import ClientCredential
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    MY_AUTH_CALLBACK_PATH,
    AbstractOAuth2Implementation,
)

from .const import DEVELOPER_PORTAL_URL
from .runtime.oauth import EnphaseOAuth2Implementation


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> AbstractOAuth2Implementation:
    """Return the sign-in through the user's developer application."""
    return EnphaseOAuth2Implementation(hass, auth_domain, credential)


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return the placeholders for the description of the credentials dialog."""
    # Without "my", the redirect goes to the address in the browser, unknown here.
    redirect_url = (
        MY_AUTH_CALLBACK_PATH
        if "my" in hass.config.components
        else f"https://<your Home Assistant>{AUTH_CALLBACK_PATH}"
    )
    return {"portal_url": DEVELOPER_PORTAL_URL, "redirect_url": redirect_url}
