"""The two programs of the demo, and what it takes to start, restart and end them."""

from pathlib import Path
import sys
from typing import Final

from aiohttp import ClientSession

from .cloud import Cloud
from .folder import CHECKOUT, prepare
from .home_assistant import HomeAssistant
from .processes import LOOPBACK, Program
from .set_up import onboard

_START_SECONDS: Final = 120


class Stage:
    """A simulated cloud and a Home Assistant that is pointed at it."""

    def __init__(
        self,
        session: ClientSession,
        folder: Path,
        *,
        port: int,
        cloud_port: int,
        log_level: str = "info",
    ) -> None:
        """Prepare a stage whose Home Assistant keeps its things in a folder."""
        prepare(folder, port=port, log_level=log_level)
        self.folder = folder
        self.home_assistant = HomeAssistant(session, f"http://{LOOPBACK}:{port}")
        self.cloud = Cloud(session, f"http://{LOOPBACK}:{cloud_port}")
        self.home_assistant_program = Program(
            "Home Assistant",
            [
                Path(sys.executable).with_name("hass"),
                *("--config", folder),
                "--log-no-color",
            ],
            folder=folder,
            log=folder / "home-assistant.out",
            environment={"ENPHASE_CLOUD_URL": self.cloud.url},
        )
        self.cloud_program = Program(
            "The simulated cloud",
            [
                *(sys.executable, "-m", "simulator"),
                *("--host", LOOPBACK, "--port", str(cloud_port)),
            ],
            folder=CHECKOUT,
            log=folder / "simulator.out",
        )

    async def start(self) -> None:
        """Start both; return once Home Assistant runs and its user is logged in.

        Raises DemoError where one of them does not come up.
        """
        for program in (self.cloud_program, self.home_assistant_program):
            program.log.unlink(missing_ok=True)
        await self.start_cloud()
        await self.start_home_assistant()

    async def start_cloud(self) -> None:
        """Start the cloud alone; return once it answers. Raises DemoError."""
        await self.cloud_program.start()
        await self.cloud_program.until(self.cloud.is_up, _START_SECONDS)

    async def start_home_assistant(self) -> None:
        """Start Home Assistant alone; return once it runs. Raises DemoError."""
        program, home_assistant = self.home_assistant_program, self.home_assistant
        await program.start()
        await program.until(home_assistant.is_up, _START_SECONDS)
        await onboard(home_assistant)
        await program.until(home_assistant.is_running, _START_SECONDS)

    async def restart_home_assistant(self) -> None:
        """End Home Assistant in good order and start it again. Raises DemoError."""
        await self.home_assistant_program.stop()
        await self.start_home_assistant()

    async def end(self) -> None:
        """End both, Home Assistant first."""
        await self.home_assistant_program.stop()
        await self.cloud_program.stop()
