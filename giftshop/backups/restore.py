"""Restore: put a backup in the place of a database, after proof that it is whole, ours, and that its keys are here.

Everything is checked before anything is changed; then the database is replaced in one transaction, wholly or not at
all, and migrated forward. The shop must not run meanwhile.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from giftshop.backups import backup_file, postgres_programs, sqlite_copy
from giftshop.backups.backup import count_rows
from giftshop.backups.backup_file import KeySample, Manifest
from giftshop.certificates import encryption
from giftshop.errors import ShopError, WrongDatabaseError

SIGNS_OF_USE = ("order", "certificate", "staff")
"""Tables that are empty in a shop that was migrated and not used yet."""


class DatabaseNotEmptyError(ShopError):
    """This database holds something already. Stop the shop, keep a backup of it, and say --replace."""


class NewerBackupError(ShopError):
    """This backup was made by a newer giftshop than this one. Update giftshop first."""


class KeysMissingError(ShopError):
    """The keys in the environment do not open this backup’s codes. Set the GIFTSHOP_CODE_PEPPER and GIFTSHOP_CODE_KEYS
    that the shop had when it was made."""


class CountsDifferError(ShopError):
    """The restored database does not hold what the backup says it holds."""


def restore(
    path: Path, engine: sa.Engine, *, mode: str, revisions: set[str], migrate: Callable[[], None], may_replace: bool
) -> Manifest:
    """Put the backup at `path` into the database behind `engine`; return its manifest.

    `mode` is the kind of money of this installation, `revisions` are the migrations it knows, `migrate` runs those the
    backup does not have. Raises BackupBrokenError, BackupPathError, WrongDatabaseError, NewerBackupError,
    KeysMissingError, DatabaseNotEmptyError; then nothing was changed.
    """
    manifest = backup_file.read_manifest(path)
    refuse_unfit(manifest, dialect=engine.dialect.name, mode=mode, revisions=revisions)
    room = _room(engine, path)
    if not may_replace and not _is_empty(engine):
        raise DatabaseNotEmptyError
    with tempfile.TemporaryDirectory(dir=room, prefix=".restore-") as name:
        database = Path(name) / "database"
        with backup_file.private_file(database) as target:
            backup_file.extract_database(path, manifest, target)
        engine.dispose()
        _replace(engine, database)
    engine.dispose()
    _refuse_loss(engine, manifest)
    migrate()
    return manifest


def refuse_unfit(manifest: Manifest, *, dialect: str, mode: str, revisions: set[str]) -> None:
    """Refuse a backup that does not belong here, or whose codes cannot be opened here."""
    if manifest.dialect != dialect:
        raise WrongDatabaseError(f"This backup is of {manifest.dialect}, and this database is {dialect}.")
    if manifest.mode != mode:
        raise WrongDatabaseError(f"This backup is of {manifest.mode} payments, and the Stripe key is for {mode} ones.")
    if manifest.revision not in revisions:
        raise NewerBackupError
    if not all(_opens(sample) for sample in manifest.key_samples):
        raise KeysMissingError


def _is_empty(engine: sa.Engine) -> bool:
    """Tell whether nothing is lost with this database: it has no tables, or those of a shop that was never used."""
    tables = sa.inspect(engine).get_table_names()
    if not set(SIGNS_OF_USE) <= set(tables):
        return not tables
    with engine.connect() as connection:
        rows = (sa.select(sa.literal(1)).select_from(sa.table(name)).limit(1) for name in SIGNS_OF_USE)
        return not any(connection.execute(row).first() for row in rows)


def _opens(sample: KeySample) -> bool:
    """Tell whether a sealed code opens with a key of the environment, and is found by a pepper of it."""
    try:
        code = encryption.open_sealed(bytes.fromhex(sample.code_enc), sample.public_id)
    except encryption.SealBrokenError:
        return False
    return bytes.fromhex(sample.code_lookup) in encryption.lookups(code)


def _room(engine: sa.Engine, path: Path) -> Path:
    """Return the folder to unpack in: beside the database, which has room for it, or beside the backup."""
    if engine.dialect.name != "sqlite":
        return path.absolute().parent
    folder = Path(engine.url.database or "").absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _replace(engine: sa.Engine, database: Path) -> None:
    if engine.dialect.name == "sqlite":
        sqlite_copy.copy_in(database, Path(engine.url.database or ""))
    else:
        postgres_programs.load(engine, database)


def _refuse_loss(engine: sa.Engine, manifest: Manifest) -> None:
    """Compare what was restored with what the manifest counted."""
    with engine.connect() as connection:
        found = count_rows(connection)
    if found != manifest.counts:
        differing = {table: (found[table], count) for table, count in manifest.counts.items() if found[table] != count}
        raise CountsDifferError(f"The restored database does not hold what the backup says: {differing}.")
