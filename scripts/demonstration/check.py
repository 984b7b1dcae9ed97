"""`scripts/demo --check`: compare what Home Assistant shows with what is true."""

import json
from pathlib import Path
import tempfile
from typing import Final

from aiohttp import ClientSession

from simulator.demo import demo_cloud

from .crashes import kill_after_a_renewal, kill_in_a_burst
from .credentials import Credentials, demo_credentials, systems_of
from .energy_check import check_energies
from .folder import remove
from .home_assistant import HomeAssistantError
from .live_check import check_live
from .logs import complaints, installations, leaks, stored_tokens
from .polled_check import check_polled
from .processes import DemoError, free_port
from .report import Report
from .restart_check import check_restart, enable_all, let_token_expire
from .set_up import add_integration
from .stage import Stage
from .subject import Subject

# Statistics are imported in the background, with calls at a time of their own.
_NO_ENERGY: Final = {"energy_updates": 0, "history": "none"}

# An access and a refresh token, before and after the renewal.
_TOKENS: Final = 4


async def check() -> bool:
    """Walk the flows in a folder of its own; return whether all is as it should be."""
    folder = Path(tempfile.mkdtemp(prefix="enphase-cloud-check-"))
    report = Report()
    async with ClientSession() as session:
        stage = Stage(
            session,
            folder,
            port=free_port(),
            cloud_port=free_port(),
            log_level="debug",
        )
        try:
            await _check(session, stage, report)
        except (DemoError, HomeAssistantError) as err:
            report.expect("The check can be finished", holds=False, found=err)
        finally:
            await stage.end()
    if report.conclude():
        remove(folder)
        return True
    print(f"Logs and storage are kept in {folder}")
    return False


async def _check(session: ClientSession, stage: Stage, report: Report) -> None:
    report.heading("Home Assistant starts, the integration is set up")
    await stage.start()
    credentials = demo_credentials()
    subject = await _set_up(session, stage, report, credentials)
    report.heading("Polled values, after pressing “Refresh now”")
    await check_polled(session, subject)
    await check_restart(subject, "after polls", new=await enable_all(subject))
    await check_live(subject)
    await check_restart(subject, "after live data")
    tokens = stored_tokens(stage.folder)
    await kill_in_a_burst(subject)
    await check_restart(subject, "a day later", while_down=let_token_expire)
    await kill_after_a_renewal(subject)
    tokens |= stored_tokens(stage.folder)
    report.expect("The tokens were renewed", holds=len(tokens) == _TOKENS)
    await check_energies(subject)
    await check_restart(subject, "after energies")
    await _check_secrecy(subject, tokens | _secrets(credentials))


async def _set_up(
    session: ClientSession, stage: Stage, report: Report, credentials: Credentials
) -> Subject:
    """Set an account with one system up."""
    entry = await add_integration(
        session, stage.home_assistant, credentials, energy=_NO_ENERGY
    )
    report.expect("The config flow ends with a loaded entry", holds=True)
    (system_id,) = systems_of(credentials)
    return Subject(
        stage=stage,
        credentials=credentials,
        entry_id=entry["entry_id"],
        system_id=system_id,
        report=report,
    )


async def _check_secrecy(subject: Subject, secrets: set[str]) -> None:
    report = subject.report
    report.heading("Logs and diagnostics")
    log = subject.stage.home_assistant_program.log.read_text(errors="replace")
    found = complaints(log)
    report.expect(
        "Home Assistant's log holds no complaint of the integration",
        holds=not found,
        found="\n".join(found),
    )
    report.expect(
        "Home Assistant found everything installed",
        holds=not installations(log),
        found=installations(log),
    )
    report.expect(
        f"None of {len(secrets)} secrets is in the log, at level debug",
        holds=not leaks(log, secrets),
        found=leaks(log, secrets),
    )
    diagnostics = json.dumps(await subject.diagnostics())
    report.expect(
        "None of them is in the diagnostics",
        holds=not leaks(diagnostics, secrets),
        found=leaks(diagnostics, secrets),
    )


def _secrets(credentials: Credentials) -> set[str]:
    """Return what is known beforehand; serial numbers hold the system's id."""
    application = credentials.application
    owner = demo_cloud().account(credentials.email)
    assert owner is not None
    return {
        application.client_secret,
        application.api_key,
        credentials.email,
        credentials.password,
        owner.user_id,
        *map(str, systems_of(credentials)),
    }
