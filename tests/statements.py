"""The statements that a test makes the shop send to its databases."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import sqlalchemy as sa


@contextmanager
def statements_to(*engines: sa.Engine | type[sa.Engine]) -> Iterator[list[str]]:
    """Collect every statement sent to these engines meanwhile, first to last; the class stands for all there are."""
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
    """Collect what pages ask of any database meanwhile, but not how transactions begin and how tries are counted."""
    with statements_to(sa.Engine) as statements:
        yield statements
    asked = [each for each in statements if not each.startswith(("PRAGMA", "BEGIN")) and "rate_limit" not in each]
    statements[:] = asked
