"""Rate limits counted in the shop's own database, exactly, for every process of every host."""

import time
from typing import Any

import sqlalchemy as sa
from limits.storage import Storage
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.foundation.database import Base, BigId, create_engine, db


class RateLimit(Base):
    """How often something was done since a window opened; `expires_at` in whole seconds since 1970.

    A window lasts `seconds`. One that ends later than that from now was opened by a clock that was ahead: it is over.
    """

    __tablename__ = "rate_limit"

    key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    hits: Mapped[int] = mapped_column(sa.Integer)
    expires_at: Mapped[int] = mapped_column(BigId, index=True)
    seconds: Mapped[int] = mapped_column(sa.Integer, server_default="86400")

    @classmethod
    def is_over(cls, now: int) -> sa.ColumnElement[bool]:
        """Return the condition that a window is over, as the row is found."""
        return sa.or_(cls.expires_at <= now, cls.expires_at > now + cls.seconds)


def forget_closed() -> None:
    """Delete the counts of closed windows, in the caller's transaction."""
    db.session.execute(sa.delete(RateLimit).where(RateLimit.is_over(int(time.time()))))


def prove_writing() -> None:
    """Write a row and commit it, on a connection of its own: a full disk shows nowhere else. Raises SQLAlchemyError."""
    DatabaseStorage.count(db.engine, "readyz", expiry=60, amount=1)


class DatabaseStorage(Storage):
    """Fixed windows in one table: one upsert counts one hit, on SQLite and on PostgreSQL."""

    STORAGE_SCHEME = ["shop+sqlite", "shop+postgresql+psycopg"]  # noqa: RUF012  # limits reads a plain list

    def __init__(self, uri: str, wrap_exceptions: bool = False, **_options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._engine = create_engine(uri.removeprefix("shop+"))

    @property
    def base_exceptions(self) -> type[Exception]:
        return sa.exc.SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` hits on `key` in a window of `expiry` seconds; return the hits so far.

        Less than nothing gives hits back, as long as their window is open.
        """
        return self.count(self._engine, key, expiry=expiry, amount=amount)

    @staticmethod
    def count(engine: sa.Engine, key: str, *, expiry: int, amount: int) -> int:
        """Count hits in the database behind `engine`; return the hits so far."""
        now = int(time.time())
        # One upsert counts: whether the old window is over is decided by the row as the statement finds it.
        is_over = RateLimit.is_over(now)
        fresh = {"hits": max(amount, 0), "expires_at": now + expiry, "seconds": expiry}
        dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
        statement = (
            dialect.insert(RateLimit)
            .values(key=key, **fresh)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "hits": sa.case((is_over, fresh["hits"]), else_=RateLimit.hits + amount),
                    "expires_at": sa.case((is_over, fresh["expires_at"]), else_=RateLimit.expires_at),
                    "seconds": expiry,
                },
            )
            .returning(RateLimit.hits)
        )
        with engine.begin() as connection:
            return int(connection.execute(statement).scalar_one())

    def get(self, key: str) -> int:
        """Return the hits on `key` in its open window."""
        return int(self._read(RateLimit.hits, key) or 0)

    def get_expiry(self, key: str) -> float:
        """Return the second at which the window of `key` closes; now, if none is open."""
        return float(self._read(RateLimit.expires_at, key) or time.time())

    def check(self) -> bool:
        """Tell whether the table can be read."""
        self.get("")
        return True

    def reset(self) -> int:
        """Forget every count; return how many there were."""
        return self._delete(sa.delete(RateLimit))

    def clear(self, key: str) -> None:
        """Forget the count of `key`."""
        self._delete(sa.delete(RateLimit).where(RateLimit.key == key))

    def close(self) -> None:
        """Close the storage's own connections."""
        self._engine.dispose()

    def _read(self, column: Any, key: str) -> int | None:
        query = sa.select(column).where(RateLimit.key == key, ~RateLimit.is_over(int(time.time())))
        with self._engine.connect().execution_options(only_reads=True) as connection:
            return connection.execute(query).scalar()

    def _delete(self, statement: sa.Delete) -> int:
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount
