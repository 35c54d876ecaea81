"""Losing data for real: a backup is made, the shop sells on, and the backup is put back."""

import secrets
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from giftshop.backups import backup, restore
from giftshop.foundation import jobs
from giftshop.foundation.database import db


def back_up(folder: Path) -> Path:
    """Back the test's shop up; return the file."""
    db.session.rollback()
    path = folder / f"{secrets.token_hex(4)}.backup"
    backup.back_up(db.engine, path)
    return path


def lose_everything_since(path: Path, app: Flask) -> None:
    """Put a backup in the place of the test's shop."""
    db.session.remove()
    jobs.disconnect()
    mode = app.config["SHOP_SETTINGS"].stripe_mode
    manifest = backup.backup_file.read_manifest(path)
    restore.restore(path, db.engine, mode=mode, revisions={manifest.revision}, migrate=upgrade, may_replace=True)
