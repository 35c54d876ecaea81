"""A pytest plugin for mutation runs: the expensive parts are made once by mutmut's process and shared by every mutant.

mutmut forks a pytest session for each mutant. Migrating a database and starting a simulated Stripe in each of them
would take longer than the tests, so the first session makes them and its forks inherit them.
"""

import atexit
import functools
import itertools
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.databases import PostgresServer
from tests.workbench.running import RunningWorkbench, start_workbench


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> object | None:
    """Give a shared part instead of setting its fixture up; None lets pytest do as usual."""
    if (make := _SHARED.get(fixturedef.argname)) is None:
        return None
    part = make()
    fixturedef.cached_result = (part, fixturedef.cache_key(request), None)
    return part


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Hold each package by its own tests alone: an order sold end to end passes through all of certificates/ too.

    What none of its own tests pass through (payments/losses.py, whose cases are disputes) is held by all others.
    """
    package = re.match(r"giftshop\.(\w+)\.", os.environ.get("MUTANT_UNDER_TEST", ""))
    if package is None:
        return
    own = [item for item in items if item.nodeid.startswith(f"tests/{package[1]}/")]
    others = [item for item in items if item not in own] if own else []
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@functools.cache
def sqlite_template() -> Path:
    """Return the migrated and seeded SQLite file that tests copy, made by unchanged code."""
    from tests.conftest import _migrate_and_seed as migrate_and_seed

    path = _folder("template") / "template.sqlite"
    migrate_and_seed(f"sqlite:///{path}")
    return path


@functools.cache
def running_workbench() -> RunningWorkbench:
    """Return a running simulated Stripe; it ends with mutmut's process, not with the forks."""
    bench = start_workbench(_folder("workbench"))
    atexit.register(bench.stop)
    return bench


def postgres() -> PostgresServer:
    """Return a running PostgreSQL, for the few tests of locks; forks number the databases they make by the clock."""
    server = _postgres()
    server._numbers, server._renewed = itertools.count(time.time_ns()), ""
    return server


@functools.cache
def _postgres() -> PostgresServer:
    server = PostgresServer(_folder("postgres"))
    atexit.register(server.stop)
    return server


def _folder(name: str) -> Path:
    folder = tempfile.TemporaryDirectory(prefix=f"mutants-{name}-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


_SHARED: dict[str, Callable[[], object]] = {
    "sqlite_template": sqlite_template,
    "postgres": postgres,
    "running_workbench": running_workbench,
}
