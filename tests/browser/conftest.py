"""A real Home Assistant and a real browser; pictures of failures: .cache/browser."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
import shutil
from typing import Any

from playwright.async_api import Browser, Page, StorageState
import pytest

from scripts.browsing.browser import DESKTOP, browsing, screen
from scripts.browsing.user import User
from scripts.demonstration.command_line import CHECKOUT
from scripts.demonstration.interruption import end_as_by_ctrl_c
from scripts.demonstration.stage import Stage, temporary_stage

type Visit = Callable[..., Awaitable[User]]

_EVIDENCE = CHECKOUT / ".cache" / "browser"
_FAILED = pytest.StashKey[bool]()


def pytest_configure() -> None:
    """Stop Home Assistant when the tests are ended by a signal."""
    end_as_by_ctrl_c()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember failed tests, for the `visit` fixture."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """Yield the machine's Chromium."""
    shutil.rmtree(_EVIDENCE, ignore_errors=True)
    async with browsing() as chromium:
        yield chromium


@pytest.fixture(scope="session")
async def stage() -> AsyncGenerator[Stage]:
    """Yield a Home Assistant and its cloud; tests build on each other's changes."""
    async with temporary_stage() as running:
        yield running


@pytest.fixture(scope="module")
async def login(browser: Browser, stage: Stage) -> StorageState:
    """Return the browser's stored state of a user who has logged in."""
    async with screen(browser, stage.home_assistant.url) as context:
        await User(await context.new_page()).log_in()
        return await context.storage_state()


@pytest.fixture
async def visit(
    browser: Browser, stage: Stage, login: StorageState, request: pytest.FixtureRequest
) -> AsyncGenerator[Visit]:
    """Yield a function that opens a screen of some size as a logged-in user."""
    pages: list[Page] = []

    async def open_screen(
        size: tuple[int, int] = DESKTOP, *, dark: bool = False, **options: bool
    ) -> User:
        url = stage.home_assistant.url
        context = await screens.enter_async_context(
            screen(browser, url, size, dark=dark, login=login)
        )
        pages.append(await context.new_page())
        return User(pages[-1], **options)

    async with AsyncExitStack() as screens:
        yield open_screen
        if request.node.stash.get(_FAILED, False):
            _EVIDENCE.mkdir(parents=True, exist_ok=True)
            await _keep(request.node.name, stage, pages)
            terminal = request.config.get_terminal_writer()
            terminal.line(f"\nScreenshots and logs are in {_EVIDENCE}.")


async def _keep(name: str, stage: Stage, pages: list[Page]) -> None:
    shutil.copy(stage.home_assistant_program.log, _EVIDENCE / f"{name}.log")
    for number, page in enumerate(it for last in pages for it in last.context.pages):
        path = _EVIDENCE / f"{name}-{number}.png"
        await page.screenshot(path=path)
        path.with_suffix(".txt").write_text(await page.locator("body").aria_snapshot())
