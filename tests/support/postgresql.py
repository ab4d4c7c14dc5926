"""A real PostgreSQL of the tests' own: made, started and stopped by them, reached over a socket in its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; Debian keeps them off the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    found = Path(found) if (found := shutil.which("initdb")) else next(iter(installed), None)
    return found.resolve().parent if found else None


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL."""

    url: str
    run: Callable[..., None]
    data: str

    def go_down(self) -> None:
        """Stop at once, as a crash does: whoever is reading is cut off."""
        self.run("pg_ctl", "stop", "--wait", "--pgdata", self.data, "--mode", "immediate")

    def come_up(self) -> None:
        place = Path(self.data).parent
        options = f"-c listen_addresses='' -c unix_socket_directories='{place}' -c fsync=off"
        self.run("pg_ctl", "start", "--wait", "--pgdata", self.data, "--options", options, "--log", str(place / "log"))


@contextmanager
def running() -> Iterator[Server]:
    """Make, start and stop a server; tests are skipped where there is none, or fail if one is required."""
    folder = programs()
    if folder is None or find_spec("psycopg") is None:
        lacking = "PostgreSQL is" if folder is None else "psycopg, the driver for PostgreSQL, is"
        if os.environ.get("NPS_REQUIRE_POSTGRESQL") == "1":
            pytest.fail(f"{lacking} not installed, and NPS_REQUIRE_POSTGRESQL=1")
        pytest.skip(f"{lacking} not installed")
    place = Path(tempfile.mkdtemp(prefix="pg"))
    # PostgreSQL refuses to run as root.
    owner = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    if owner:
        shutil.chown(place, "nobody", "nogroup")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(folder / program), *arguments],
            check=True,
            cwd=place,
            env={"LC_ALL": "C", "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **owner,
        )

    data = str(place / "data")
    server = Server(f"postgresql+psycopg://survey:not-for-others@/postgres?host={place}", run, data)
    try:
        run("initdb", "--pgdata", data, "--username", "survey", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        server.come_up()
        try:
            yield server
        finally:
            server.go_down()
    finally:
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of a running, empty PostgreSQL, the same for all tests."""
    with running() as server:
        yield server.url
