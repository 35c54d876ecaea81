"""`.env` is for development: the `flask` command, which reads it by itself, takes nothing from it in production."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.foundation.test_settings import PRODUCTION
from tests.own_copy import bare_environment, copy_program

HERE = {"DATABASE_URL": "sqlite:///instance/none.sqlite"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in a folder of its own, where a `.env` may lie."""
    return copy_program(tmp_path_factory.mktemp("program"))


def check_settings(program: Path, dot_env: str, **environment: str) -> tuple[int, str]:
    """Run `flask settings check` beside a `.env`; return its status and what it said."""
    (program / ".env").write_text(dot_env)
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "settings", "check"],
        cwd=program,
        env=bare_environment(program, **HERE, **environment),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def checked(program: Path, dot_env: str, **environment: str) -> dict[str, Any]:
    """Return what the settings came to."""
    status, said = check_settings(program, dot_env, **environment)
    assert status == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def test_in_development_dot_env_counts_and_the_environment_comes_first(program: Path) -> None:
    dot_env = "GIFTSHOP_BASE_URL=http://one.test\nGIFTSHOP_JOBS=worker\n"
    found = checked(program, dot_env, GIFTSHOP_BASE_URL="http://two.test")
    assert (found["env"], found["base_url"], found["jobs"]) == ("development", "http://two.test", "worker")


def test_in_production_nothing_of_dot_env_counts_even_where_it_says_the_same(program: Path) -> None:
    production = {name: value for name, value in PRODUCTION.items() if name != "DATABASE_URL"}
    dot_env = "GIFTSHOP_JOBS=worker\nGIFTSHOP_BASE_URL=https://gifts.example.com\nGIFTSHOP_PROXY_HOPS=5\n"
    found = checked(program, dot_env, **production)
    assert (found["env"], found["base_url"], found["jobs"]) == ("production", "https://gifts.example.com", "embedded")


def test_what_is_missing_in_production_is_not_taken_from_dot_env(program: Path) -> None:
    production = {name: value for name, value in PRODUCTION.items() if name not in ("DATABASE_URL", "SMTP_URL")}
    status, said = check_settings(program, f"SMTP_URL={PRODUCTION['SMTP_URL']}\n", **production)
    assert (status, said.strip()) == (3, "SMTP_URL is missing: production does not capture mail.")


def test_production_is_not_declared_by_dot_env(program: Path) -> None:
    status, said = check_settings(program, "GIFTSHOP_ENV=production\n")
    assert (status, said.count("\n")) == (3, 1)
    assert "GIFTSHOP_ENV=production belongs in the environment" in said
