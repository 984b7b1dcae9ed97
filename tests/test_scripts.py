"""The scripts report obstacles at once, and prepare only what they need."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, suppress
import fcntl
import os
from pathlib import Path
import select
import shutil
import signal
import socket
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.helpers import config_validation as cv
from homeassistant.util.yaml import load_yaml_dict
import pytest

from scripts.demonstration import command_line
from scripts.demonstration.command_line import DemoError
from scripts.demonstration.set_up import add_dashboard, add_integration
from scripts.demonstration.stage import Stage
from simulator.places import PLACES, Place

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout without environments, whose set-up prints its arguments."""
    scripts = tmp_path / "scripts"
    for folder in ("demonstration", "environment"):
        shutil.copytree(SCRIPTS / folder, scripts / folder)
    for script in ("demo", "screens", "test"):
        shutil.copy(SCRIPTS / script, scripts)
    setup = scripts / "setup"
    setup.write_text("#!/bin/sh\necho preparing $*\nexit 9\n")
    setup.chmod(0o755)
    return tmp_path


def _demo(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "scripts/demo", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("option", ["--port", "--cloud-port"])
def test_the_demo_refuses_a_busy_port_before_it_prepares(
    checkout: Path, socket_enabled: None, option: str
) -> None:
    """The message names the port, and the option to set another."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        demo = _demo(checkout, option, str(port))
    assert demo.returncode == 1
    assert f"Port {port} is not available" in demo.stderr
    assert f"another with {option}," in demo.stderr
    assert "preparing" not in demo.stdout


@pytest.mark.parametrize("name", ["port", "cloud_port"])
def test_the_demo_uses_the_next_free_port(socket_enabled: None, name: str) -> None:
    """It prints a notice, and never uses the other program's default."""
    usual = {"port": 8123, "cloud_port": 8124}
    chosen = argparse.Namespace(port=None, cloud_port=None)
    with ExitStack() as stack:
        with suppress(OSError):  # Busy already.
            stack.enter_context(socket.create_server(("127.0.0.1", usual[name])))
        words = command_line.choose_ports(chosen)
        port = getattr(chosen, name)
        stack.enter_context(socket.create_server(("127.0.0.1", port)))
    assert port > 8124
    assert chosen.port != chosen.cloud_port
    assert any(
        f"{usual[name]} is taken" in line and f"{port}" in line for line in words
    )


def test_a_given_port_is_used_once(socket_enabled: None) -> None:
    """Even if it is the default of the other program."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    chosen = argparse.Namespace(port=port, cloud_port=None)
    command_line.choose_ports(chosen)
    assert chosen.port == port
    assert chosen.cloud_port not in {None, port, 8123}


@pytest.mark.parametrize("lock", ["scripts/demo", "demo/.ha_run.lock"])
def test_two_demos_never_share_a_folder(checkout: Path, lock: str) -> None:
    """A running demo or its remaining Home Assistant is an obstacle."""
    (checkout / "demo").mkdir()
    (checkout / lock).touch()
    held = os.open(checkout / lock, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        demo = _demo(checkout)
    finally:
        os.close(held)
    assert demo.returncode == 1
    assert f"A demo already runs in {checkout / 'demo'}" in demo.stderr
    assert "preparing" in _demo(checkout).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "prepares"),
    [
        (["--help"], 0, False),
        (["--nonsense"], 2, False),
        ([], 9, True),
        (["--check"], 9, True),
    ],
)
def test_the_demo_prepares_only_what_it_needs(
    checkout: Path, arguments: list[str], code: int, *, prepares: bool
) -> None:
    """Help and invalid arguments need no preparation."""
    demo = _demo(checkout, *arguments)
    assert demo.returncode == code
    assert ("preparing" in demo.stdout) is prepares


_WITH_A_PROGRAM = """
import asyncio, sys
from pathlib import Path
from scripts.demonstration.interruption import end_as_by_ctrl_c, until_interrupted
from scripts.demonstration.processes import Program

async def run():
    command = ["sh", "-c", "echo $$; exec sleep 600"]
    program = Program("A program", command, log := Path(sys.argv[1]))
    async def is_ready():
        return log.read_text()
    try:
        await program.start(is_ready)
        print(log.read_text(), flush=True)
        await asyncio.Future()
    finally:
        await program.stop()

if sys.argv[2] == "walks":
    end_as_by_ctrl_c()
    asyncio.run(run())
else:
    sys.exit(asyncio.run(until_interrupted(run())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="It looks into processes")
@pytest.mark.parametrize(("way", "code"), [("demo", 130), ("walks", -signal.SIGINT)])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_programs_end_with_their_parent(
    tmp_path: Path, name: str, way: str, code: int
) -> None:
    """Any signal that ends the parent ends them."""
    # In the background, a shell lets programs ignore Ctrl-C.
    shell = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    starter = subprocess.Popen(
        [*shell, sys.executable, "-c", _WITH_A_PROGRAM, tmp_path / "log", way],
        cwd=SCRIPTS.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        program = os.pidfd_open(int(starter.stdout.readline()))
        number = signal.Signals[name]
        starter.send_signal(number)
        try:
            ended = starter.wait(timeout=30)
        finally:
            # Else the end of the context would wait for it.
            starter.kill()
    assert ended == (-number if number is signal.SIGKILL else code)
    assert select.select([program], [], [], 30)[0] == [program]
    os.close(program)


@pytest.fixture
def foreign_checkout(checkout: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield a read-only checkout, and options to run a command without its rights."""
    with TemporaryDirectory() as parent:
        folder = Path(parent, "checkout")
        shutil.copytree(checkout, folder)
        Path(parent).chmod(0o755)
        folder.chmod(0o555)
        is_root = os.geteuid() == 0
        who: dict[str, Any] = {"user": "nobody", "extra_groups": ()} if is_root else {}
        path = f"{os.environ['PATH']}{os.pathsep}{os.defpath}"
        environment = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        yield folder, {"cwd": folder, "env": environment, **who}
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("command", "opening"),
    [
        (["bash", "scripts/demo"], "You may not write to {}"),
        (["python3", "scripts/environment", "demo"], "Set-up stopped: you may not"),
        (["python3", "scripts/environment", "client"], "Set-up stopped: you may not"),
    ],
    ids=["demo", "environment", "client"],
)
def test_a_foreign_checkout_is_refused_with_advice(
    foreign_checkout: tuple[Path, dict[str, Any]], command: list[str], opening: str
) -> None:
    """There is no traceback."""
    folder, options = foreign_checkout
    tried = subprocess.run(
        command, capture_output=True, text=True, check=False, **options
    )
    assert tried.returncode == 1
    assert tried.stderr.strip().startswith(opening.format(folder))
    assert f"{folder}" in tried.stderr
    assert f"clone of your own: git clone {folder}" in tried.stderr
    assert "Traceback" not in tried.stderr


class _Leftovers:
    """A Home Assistant with applications and a dashboard from an earlier demo."""

    known: Final = {
        "application_credentials/list": [
            {"id": f"enphase_cloud_demo_{plan}", "client_id": f"demo-{plan}"}
            for plan in ("watt", "kilowatt")
        ],
        "lovelace/dashboards/list": [{"url_path": "enphase-cloud"}],
    }

    def __init__(self) -> None:
        self.inputs: list[Any] = []

    async def command(self, kind: str, **_fields: Any) -> Any:
        return self.known[kind]

    async def post(self, _path: str, body: Any) -> Any:
        self.inputs.append(body)
        step = "auth" if "implementation" in body else "pick_implementation"
        return {"step_id": step, "flow_id": "1", "type": "form"}


async def test_the_demo_reuses_what_exists() -> None:
    """It adds no application twice, selects its own, and adds no second dashboard."""
    home_assistant: Any = _Leftovers()
    with pytest.raises(DemoError, match="does not begin with a sign-in"):
        await add_integration(home_assistant, plan="kilowatt")
    _, picked = home_assistant.inputs
    assert picked == {"implementation": "enphase_cloud_demo_kilowatt"}
    await add_dashboard(home_assistant)


def _place(folder: Path, at: str | None = None) -> Place:
    """Return the home's place of a demo that is prepared in a folder."""
    place = PLACES[at] if at else None
    # There are no requests, so the session is not used.
    session: Any = None
    return Stage(session, folder, port=1, cloud_port=2, place=place).place


def test_a_home_stays_where_it_is_set_up(
    tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    """A new home is where it is noon; after set-up its place is fixed."""
    freezer.move_to("2026-11-30 03:10:00+00:00")
    assert _place(tmp_path).time_zone == "Asia/Tokyo"
    freezer.move_to("2026-11-30 19:10:00+00:00")
    # Without the integration, the place may change.
    assert _place(tmp_path).time_zone == "America/Phoenix"
    entries = tmp_path / ".storage" / "core.config_entries"
    entries.write_text('{"data": {"entries": [{"domain": "enphase_cloud"}]}}')
    freezer.move_to("2026-11-30 03:10:00+00:00")
    assert _place(tmp_path).time_zone == "America/Phoenix"
    assert _place(tmp_path, "Asia/Dhaka").time_zone == "America/Phoenix"
    configuration = load_yaml_dict(str(tmp_path / "configuration.yaml"))
    assert configuration["homeassistant"]["time_zone"] == "America/Phoenix"
    assert configuration["homeassistant"]["country"] == "US"
    assert configuration["homeassistant"]["latitude"] == 33.4


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_home_assistant_accepts_each_place(place: Place) -> None:
    """Its configuration refuses unknown countries and time zones."""
    assert cv.country(place.address.country)
    assert cv.time_zone(place.time_zone)


@pytest.mark.parametrize(
    ("script", "prepared"),
    [
        (["test"], "plugin"),
        (["test", "--ha", "floor"], "floor"),
        (["test", "--browser", "-q"], "demo browser"),
        (["screens", "--language", "de"], "demo browser"),
    ],
)
def test_scripts_prepare_their_environments(
    checkout: Path, script: list[str], prepared: str
) -> None:
    """Browser scripts use an environment of their own beside the demo's."""
    name, *arguments = script
    ran = subprocess.run(
        ["bash", f"scripts/{name}", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (9, f"preparing {prepared}\n")


def test_uv_trusts_what_the_machine_trusts(checkout: Path) -> None:
    """Also a proxy's own certificate, unless the user has chosen otherwise."""
    uv = checkout / "uv"
    uv.write_text("#!/bin/sh\nprintf %s $UV_SYSTEM_CERTS\n")
    uv.chmod(0o755)
    program = (
        "from environment import interpreter, steps;"
        "print(steps.output([interpreter.uv()]))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=checkout / "scripts",
            env={**os.environ, "PATH": f"{checkout}:{os.environ['PATH']}"} | chosen,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for chosen in ({"UV_SYSTEM_CERTS": "0"}, {})
    ]
    assert printed == ["0", os.environ.get("UV_SYSTEM_CERTS", "1")]


@pytest.mark.parametrize(
    ("arguments", "leaves_out_long"),
    [
        ([], True),
        (["-q", "-k", "live"], True),
        (["--db", "postgresql", "--ha", "floor"], True),
        (["--all"], False),
        (["--ha", "newest", "--all", "-q"], False),
        (["-q", "scripts/demo"], False),
        (["scripts/demo::test_of_weeks"], False),
    ],
)
def test_long_tests_run_on_request(
    checkout: Path, arguments: list[str], *, leaves_out_long: bool
) -> None:
    """`--all` or names of tests select them; pytest gets the other arguments."""
    shutil.copy(SCRIPTS / "test", checkout / "scripts")
    (checkout / "scripts" / "setup").write_text("#!/bin/sh\n")
    for lane in ("plugin", "floor", "newest"):
        python = checkout / ".venv" / lane / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        python.chmod(0o755)
    run = subprocess.run(
        ["bash", "scripts/test", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    printed = run.stdout.splitlines()
    assert ("not long" in printed) is leaves_out_long
    assert set(printed).isdisjoint({"--all", "--ha", "--db"})
    assert ("-q" in printed) is ("-q" in arguments)
