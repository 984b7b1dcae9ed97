"""The part of the check that restarts Home Assistant in good order."""

from collections.abc import Callable, Set as AbstractSet
import json
from typing import Final

from .home_assistant import Json
from .subject import Subject

# A forecast moves with the time.
_FORECASTS: Final = {"calls_expected"}


async def enable_all(subject: Subject) -> set[str]:
    """Enable what is disabled at first; the next start adds it. Return the keys."""
    disabled = (await subject.entities()).disabled
    for entity_id in disabled.values():
        await subject.home_assistant.command(
            "config/entity_registry/update", entity_id=entity_id, disabled_by=None
        )
    return set(disabled)


async def check_restart(
    subject: Subject,
    when: str,
    *,
    new: AbstractSet[str] = frozenset(),
    while_down: Callable[[Subject], None] | None = None,
) -> None:
    """Restart Home Assistant; entities that are `new` had no state before."""
    stage, report = subject.stage, subject.report
    report.heading(f"A restart {when}")
    await subject.until_nothing_is_due()
    shown, calls = await subject.shown(), await subject.calls()
    await stage.home_assistant_program.stop()
    if while_down is not None:
        while_down(subject)
    await stage.start_home_assistant()
    await subject.settle_after_start()
    after = await subject.shown()
    spent = await subject.calls() - calls
    report.expect(
        f"It costs no call: the cloud has counted {calls.total()} before and after",
        holds=not spent,
        found=dict(spent),
    )
    lasting = shown.keys() - new - _FORECASTS
    changed = {
        key: (shown[key], after.get(key))
        for key in lasting
        if after.get(key) != shown[key]
    }
    report.expect(
        f"{len(lasting)} entities show what they showed before",
        holds=not changed,
        found=changed,
    )
    report.expect(
        "None is without a state", holds="missing" not in after.values(), found=after
    )


def let_token_expire(subject: Subject) -> None:
    """Let a day pass for the access token: the stored one is due for renewal."""
    path = subject.stage.folder / ".storage" / "core.config_entries"
    stored: Json = json.loads(path.read_text())
    for entry in stored["data"]["entries"]:
        if entry["entry_id"] == subject.entry_id:
            entry["data"]["token"]["expires_at"] = 0
    path.write_text(json.dumps(stored))
