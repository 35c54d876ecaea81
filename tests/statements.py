"""The statements that a test makes the shop send to its databases."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import sqlalchemy as sa

from giftshop.database import db


@contextmanager
def statements_to(*engines: sa.Engine) -> Iterator[list[str]]:
    """Collect every statement sent to these engines meanwhile, first to last."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with ExitStack() as listening:
        for engine in engines:
            sa.event.listen(engine, "before_cursor_execute", note)
            listening.callback(partial(sa.event.remove, engine, "before_cursor_execute", note))
        yield statements


@contextmanager
def count_queries() -> Iterator[list[str]]:
    """Collect what pages ask the shop's database meanwhile, but not how their transactions begin."""
    with statements_to(db.engine) as statements:
        yield statements
    statements[:] = [each for each in statements if not each.startswith(("PRAGMA", "BEGIN"))]
