"""Wait until a page is at rest, so that a click hits its target."""

from contextlib import suppress
from itertools import count
from typing import Final

from playwright.async_api import Page, TimeoutError as PlaywrightTimeoutError

# Polled in the page, so that a slow page gets more time.
_PAUSE_MS: Final = 40
_LOOKS: Final = 5
# Some pages never rest; they are used as they are after this time.
_PATIENCE_MS: Final = 10_000
# Return true if the page was the same for a number of looks: the number of elements and
# all texts without digits, as values may change. Home Assistant renders lists without
# keys: an inserted row changes what the rows after it stand for, even during a click on
# them.
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
  const requests = [...connection?.commands.values() ?? []];
  const isWaiting = requests.some(command => !('unsubscribe' in command));
  const seen = `${call} ${elements} ${texts.join('')}`;
  const isSame = seen === window.seenAtRest && !isWaiting;
  window.looksAtRest = isSame ? window.looksAtRest + 1 : 0;
  window.seenAtRest = seen;
  return window.looksAtRest >= looks;
}"""
_calls = count()


async def until_at_rest(page: Page, *, looks: int = _LOOKS) -> None:
    """Wait until a page does not change any more, and has no open request.

    Looks are 40 ms apart. The wait ends after 10 s, for pages that never rest.
    """
    with suppress(PlaywrightTimeoutError):
        await page.wait_for_function(
            _IS_AT_REST,
            arg=[next(_calls), looks],
            polling=_PAUSE_MS,
            timeout=_PATIENCE_MS,
        )
