"""The backup's file: one ZIP with the database and a manifest that says what it is; for backup.py and restore.py.

Written under another name, synced and renamed, so that a file with the wanted name is always whole. Readable by its
owner only. It holds no key: codes and addresses of order pages lie in it as sealed as in the database.
"""

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

from giftshop.errors import ShopError
from giftshop.foundation.terminal import Say, progress

FORMAT = 1
_MANIFEST, _DATABASE, _PIECE = "manifest.json", "database", 1 << 20


class BackupBrokenError(ShopError):
    """This is not a whole backup of giftshop. Take another one."""


class BackupPathError(ShopError):
    """There is no room for a backup there."""


@dataclass(frozen=True, slots=True)
class KeySample:
    """One sealed text, mostly a code, in hexadecimal, by which a restore proves that it has the keys it needs."""

    public_id: str
    code_enc: str
    code_lookup: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is of: `dialect` is sqlite or postgresql, `revision` the migration, `counts` rows by table."""

    format: int
    made_at: str
    dialect: str
    server_version: str
    revision: str
    instance_id: str
    mode: str
    counts: dict[str, int]
    seal: str
    key_samples: list[KeySample]
    sha256: str = ""


@contextmanager
def written_whole(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give a new archive to write into; it gets its name, `path`, when all went well, and leaves nothing otherwise.

    Raises BackupPathError: something is there already, or the folder is not.
    """
    if path.exists() or not path.parent.is_dir():
        raise BackupPathError(f"{path} exists already, or its folder does not. Nothing was written.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with private_file(part) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise BackupPathError(f"The backup could not be written: {error.strerror or error}.") from None
    finally:
        part.unlink(missing_ok=True)


def private_file(path: Path) -> IO[bytes]:
    """Open a new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b")


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_database(archive: zipfile.ZipFile, source: IO[bytes]) -> str:
    """Copy the database into the archive; return its SHA-256 in hexadecimal."""
    total = os.fstat(source.fileno()).st_size >> 20  # nothing where it comes through a pipe
    with archive.open(_DATABASE, "w", force_zip64=True) as target, progress("Writing, MB", total=total or None) as say:
        return _copy(source, target, say)


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Write the manifest, the last thing in the archive."""
    archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))


def read_manifest(path: Path) -> Manifest:
    """Return what a backup says of itself. Raises BackupBrokenError, BackupPathError."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(_MANIFEST))
        if found["format"] != FORMAT:
            raise BackupBrokenError("This backup was made by a newer giftshop. Update giftshop first.")
        found["key_samples"] = [KeySample(**sample) for sample in found["key_samples"]]
        return Manifest(**{field.name: found[field.name] for field in fields(Manifest)})
    except OSError as error:
        raise BackupPathError(f"The backup cannot be read: {error.strerror}.") from None
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise BackupBrokenError from None


def extract_database(path: Path, manifest: Manifest, target: IO[bytes]) -> None:
    """Copy the database out of a backup into `target`. Raises BackupBrokenError if a byte of it was changed."""
    try:
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(_DATABASE) as source,
            progress("Unpacking, MB", total=archive.getinfo(_DATABASE).file_size >> 20) as say,
        ):
            sha256 = _copy(source, target, say)
    except (zipfile.BadZipFile, KeyError, EOFError):
        raise BackupBrokenError from None
    if sha256 != manifest.sha256:
        raise BackupBrokenError
    target.flush()


def _copy(source: Any, target: Any, say: Say) -> str:
    digest, done = hashlib.sha256(), 0
    while piece := source.read(_PIECE):
        digest.update(piece)
        target.write(piece)
        done += len(piece)
        say(done >> 20)
    return digest.hexdigest()
