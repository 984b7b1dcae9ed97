"""Run the tests of the recorder on PostgreSQL: `-p tests.postgresql`.

A server is started for the run, or each process of it (`-n`), in a folder of its own,
and ended with it. Tests without a recorder are deselected, unless another version of
Home Assistant selects the tests. Without a server on the machine, tests of the recorder
are skipped, which is an error if CI is set.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
import os
from pathlib import Path
import pwd
import shutil
import subprocess
from tempfile import TemporaryDirectory
from typing import Final

import pytest
import sqlalchemy as sa

# The plugin makes this database for each test, and drops it thereafter.
_DATABASE: Final = "homeassistant"
_OWNER: Final = "postgres"
_DEBIAN: Final = Path("/usr/lib/postgresql")
# Nothing has to outlive the run.
_SETTINGS: Final = (
    *("-c", "listen_addresses="),
    *("-c", "fsync=off"),
    *("-c", "full_page_writes=off"),
    *("-c", "synchronous_commit=off"),
)
_MISSING: Final = (
    "This machine has no PostgreSQL server (Debian: `apt-get install postgresql`)"
)
_is_missing: Final = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, and name it as the recorder's."""
    programs = find_programs()
    config.stash[_is_missing] = programs is None
    if programs is None:
        if os.environ.get("CI") == "true":
            raise pytest.UsageError(_MISSING)
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    config.option.dburl = stack.enter_context(server(programs))


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what has nothing to do with a recorder."""
    needed: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        # Of tests with parameters pytest names only the nearer of the two.
        fixtures = {"recorder_mock", "recorder_db_url"}
        is_needed = fixtures & {*getattr(item, "fixturenames", ())}
        (needed if is_needed else others).append(item)
    if not config.pluginmanager.has_plugin("tests.other_version"):
        items[:] = needed
        config.hook.pytest_deselected(items=others)
    if config.stash[_is_missing]:
        for item in needed:
            item.add_marker(pytest.mark.skip(reason=_MISSING))


def pytest_report_header(config: pytest.Config) -> str:
    """Say what the recorder writes to."""
    if config.stash[_is_missing]:
        return f"recorder: {_MISSING}"
    engine = sa.create_engine(sa.make_url(config.option.dburl).set(database=_OWNER))
    with engine.connect() as connection:
        version = connection.scalar(sa.text("show server_version"))
    engine.dispose()
    return f"recorder: PostgreSQL {version}"


def find_programs() -> Path | None:
    """Return the folder of the server's programs, which Debian keeps off the path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    return max(
        (program.parent for program in _DEBIAN.glob("*/bin/initdb")),
        key=lambda programs: float(programs.parent.name),
        default=None,
    )


@contextmanager
def server(programs: Path) -> Generator[str]:
    """Start a server on a socket of its own; give the address of a database."""
    with TemporaryDirectory(prefix="postgresql-") as folder:
        data, log = Path(folder, "data"), Path(folder, "log")
        if is_root := os.geteuid() == 0:
            account = pwd.getpwnam(_OWNER)
            os.chown(folder, account.pw_uid, account.pw_gid)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", data, *arguments],
                check=True,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                # The server would hold a pipe open.
                stdout=subprocess.DEVNULL,
                # It refuses to be root's.
                user=_OWNER if is_root else None,
                group=_OWNER if is_root else None,
                extra_groups=() if is_root else None,
            )

        run("initdb", "--auth=trust", f"--username={_OWNER}", "--encoding=UTF8")
        options = " ".join((*_SETTINGS, "-k", folder))
        run("pg_ctl", "start", "--wait", "--silent", f"--log={log}", f"-o{options}")
        try:
            yield f"postgresql://{_OWNER}@/{_DATABASE}?host={folder}"
        finally:
            run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")
