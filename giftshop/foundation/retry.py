"""Faults: an error named without its words, a write that outlasts the database's absence; for jobs and deliveries."""

import logging
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from giftshop.foundation.database import db

DATABASE_IS_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
stopping = threading.Event()
"""Set while this process ends."""

log = logging.getLogger(__name__)


def insist(write: Callable[[], None]) -> None:
    """Call `write` and commit, again and again while the database is away: it stores what has happened already.

    Raises SystemExit when the process ends before that; the job engine then leaves the job for another process.
    """
    while True:
        try:
            write()
            return db.session.commit()
        except DATABASE_IS_AWAY as error:
            db.session.rollback()
            log.warning("the database is away, trying again: %s", describe(error))
            if stopping.wait(1):
                raise SystemExit from None


def describe(error: Exception) -> str:
    """Name an error and the places it came through, without its words: they may quote an address or a code."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return " < ".join([type(error).__name__, *reversed(places[-5:])])
