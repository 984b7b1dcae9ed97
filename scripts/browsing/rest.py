"""When a page is at rest, so that a click meets what it is aimed at."""

from contextlib import suppress
from itertools import count
from typing import Final

from playwright.async_api import Page, TimeoutError as PlaywrightTimeoutError

# The page itself looks, so that a slow one is given more time.
_PAUSE_MS: Final = 40
_LOOKS: Final = 5
# Some pages never rest, and what is wanted on them is there all the same.
_PATIENCE_MS: Final = 10_000
# Whether the page was the same in a row of looks: the number of its elements and all
# texts but their digits, as values may move. Home Assistant renders lists without keys:
# a row that is inserted moves what the next ones stand for, even while one is clicked.
_IS_AT_REST: Final = """([call, looks]) => {
  let elements = 0;
  const texts = [location.href];
  const look = root => {
    const walker = document.createTreeWalker(
      root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.nodeType === Node.TEXT_NODE) texts.push(node.data.replace(/\\d/g, ''));
      else elements++;
      if (node.shadowRoot) look(node.shadowRoot);
    }
  };
  look(document);
  const connection = document.querySelector('home-assistant')?.hass?.connection;
  const asked = [...connection?.commands.values() ?? []];
  const isWaiting = asked.some(command => !('unsubscribe' in command));
  const seen = `${call} ${elements} ${texts.join('')}`;
  const isSame = seen === window.seenAtRest && !isWaiting;
  window.looksAtRest = isSame ? window.looksAtRest + 1 : 0;
  window.seenAtRest = seen;
  return window.looksAtRest >= looks;
}"""
_calls = count()


async def until_at_rest(page: Page, *, looks: int = _LOOKS) -> None:
    """Wait until nothing comes or goes on a page any more, and it awaits no answer.

    Looks are 40 ms apart. The wait ends after 10 s, for pages that never rest.
    """
    with suppress(PlaywrightTimeoutError):
        await page.wait_for_function(
            _IS_AT_REST,
            arg=[next(_calls), looks],
            polling=_PAUSE_MS,
            timeout=_PATIENCE_MS,
        )
