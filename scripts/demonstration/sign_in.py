"""Go through the sign-in page of the simulated cloud as a browser would."""

from html.parser import HTMLParser
from http import HTTPStatus
from typing import override

from aiohttp import ClientSession
from yarl import URL

from .credentials import Credentials
from .processes import DemoError


async def sign_in(session: ClientSession, page: URL, credentials: Credentials) -> URL:
    """Sign in at this page, approve, and follow where it leads; return that address.

    Raises DemoError when the page does not send the browser back.
    """
    async with session.get(page) as response:
        form = _Form(await response.text())
    if form.action is None:
        raise DemoError(f"The sign-in page has no form, status {response.status}.")
    async with session.post(
        page.join(URL(form.action)),
        data={
            **form.hidden,
            "email": credentials.email,
            "password": credentials.password,
            "decision": "approve",
        },
        allow_redirects=False,
    ) as response:
        if response.status != HTTPStatus.FOUND:
            raise DemoError(f"The sign-in was answered with {response.status}.")
        back = URL(response.headers["Location"])
    async with session.get(back) as response:
        if response.status != HTTPStatus.OK:
            raise DemoError(f"The way back was answered with {response.status}.")
    return back


class _Form(HTMLParser):
    """The form of a page: where it leads, and what it carries along."""

    def __init__(self, page: str) -> None:
        """Read a page."""
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take notice of the form and of its hidden fields."""
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action")
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given.get("name") or ""] = given.get("value") or ""
