"""A PostgreSQL server of the tests' own, on this machine alone, from Debian's package or whatever ``initdb`` is found."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.served import free_port


def programs() -> Path | None:
    """The folder that holds ``initdb`` and ``pg_ctl``: Debian keeps them off the PATH, one folder a version; None: not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a new, empty server and stop it at the end; gives its address for SQLAlchemy.

    PostgreSQL refuses to run as root, so root starts it as the user ``postgres``, whom Debian's package makes.
    """
    folder = programs()
    if folder is None:
        raise RuntimeError("no initdb and pg_ctl: install PostgreSQL")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    port = free_port()
    with TemporaryDirectory(prefix="pg-") as place:
        if as_user:
            shutil.chown(place, "postgres")
        data, log = f"{place}/data", f"{place}/log"

        def call(*arguments: str) -> None:
            done = subprocess.run([*as_user, *arguments], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                raise RuntimeError(f"{Path(arguments[0]).name} failed: {done.stderr.strip()}")

        call(str(folder / "initdb"), "-D", data, "-U", "litsearch", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        call(str(folder / "pg_ctl"), "-D", data, "-l", log, "-w", "-t", "60", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://litsearch@127.0.0.1:{port}/postgres"
        finally:
            call(str(folder / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
