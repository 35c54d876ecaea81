"""Backup: everything the shop knows in one file, consistent, while it sells; for `flask backup`.

The job engine's tables are in it. A job and the row it is about are one commit, so one instant of the database holds
both or neither: mail that was scheduled still goes out after a restore, and what the engine has done it does not do
again. The pepper and the keys are not in it: they stay in the environment, apart from the backup.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from giftshop import clock
from giftshop.backups import backup_file, postgres_programs, sqlite_copy
from giftshop.backups.backup_file import KeySample, Manifest
from giftshop.certificates import encryption
from giftshop.errors import ShopError

COUNTED = ("certificate", "ledger_entry", "ledger_seal", "order", "delivery")
_KEY_ID_BYTES = 4


class NothingToBackUpError(ShopError):
    """This database holds no shop yet. Run `flask db upgrade`."""


def back_up(engine: sa.Engine, path: Path) -> Manifest:
    """Write a backup of the database behind `engine` to the new file `path`; return its manifest.

    Raises BackupPathError, NothingToBackUpError, ProgramsMissingError, ProgramFailedError.
    """
    if not sa.inspect(engine).has_table("installation"):
        raise NothingToBackUpError
    with backup_file.written_whole(path) as archive, _database(engine, path.parent) as (found, source):
        manifest = replace(found, sha256=backup_file.write_database(archive, source))
        backup_file.write_manifest(archive, manifest)
    return manifest


@contextmanager
def _database(engine: sa.Engine, folder: Path) -> Iterator[tuple[Manifest, IO[bytes]]]:
    """Give one instant of the database as a stream of bytes, with what can be said of that instant."""
    if engine.dialect.name == "sqlite":
        with _copied_sqlite(engine, folder) as found:
            yield found
        return
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        with postgres_programs.dumped(engine, snapshot) as dump:
            yield describe(connection), dump


@contextmanager
def _copied_sqlite(engine: sa.Engine, folder: Path) -> Iterator[tuple[Manifest, IO[bytes]]]:
    """Give a copy of the file, made beside the backup and gone afterwards; the manifest is read from the copy."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as name:  # only its owner may enter
        copy = Path(name) / "copy.sqlite"
        sqlite_copy.copy_out(Path(engine.url.database or ""), copy)
        with describing(copy) as connection, copy.open("rb") as source:
            yield describe(connection), source


@contextmanager
def describing(file: Path) -> Iterator[sa.Connection]:
    """Give a connection to a SQLite file that is nobody's database."""
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def describe(connection: sa.Connection) -> Manifest:
    """Return the manifest of the database behind `connection`."""
    instance_id, mode = connection.execute(sa.text("SELECT instance_id, mode FROM installation")).one()
    seal = connection.execute(sa.text("SELECT digest FROM ledger_seal ORDER BY id DESC LIMIT 1")).scalar()
    return Manifest(
        format=backup_file.FORMAT,
        made_at=clock.now().isoformat(timespec="seconds"),
        dialect=connection.dialect.name,
        server_version=".".join(str(part) for part in connection.dialect.server_version_info or ()),
        revision=connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one(),
        instance_id=instance_id,
        mode=mode,
        counts=count_rows(connection),
        seal=bytes(seal).hex() if seal else "",
        key_samples=[_sample_own_key(instance_id), *_sample_keys(connection)],
    )


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows the tables have that matter most."""
    return {
        table: connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one()
        for table in COUNTED
    }


def _sample_own_key(instance_id: str) -> KeySample:
    """Return something sealed now, so that a shop asks for its keys before it has sold anything."""
    return KeySample(instance_id, encryption.seal(instance_id, instance_id).hex(), encryption.lookup(instance_id).hex())


def _sample_keys(connection: sa.Connection) -> list[KeySample]:
    """Return the first and the last code that was sealed with each key: the key's id is how a sealed text starts."""
    certificate = sa.table("certificate", *(sa.column(name) for name in ("id", "public_id", "code_enc", "code_lookup")))
    key_id = sa.func.substr(certificate.c.code_enc, 1, _KEY_ID_BYTES)
    ends = sa.select(sa.func.min(certificate.c.id), sa.func.max(certificate.c.id)).group_by(key_id)
    ids = {number for row in connection.execute(ends) for number in row}
    columns = (certificate.c.public_id, certificate.c.code_enc, certificate.c.code_lookup)
    rows = connection.execute(sa.select(*columns).where(certificate.c.id.in_(ids)).order_by(certificate.c.id))
    return [KeySample(name, bytes(sealed).hex(), bytes(found).hex()) for name, sealed, found in rows]
