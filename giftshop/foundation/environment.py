"""Where settings come from: the environment, and in development `.env` and what was made once; for settings.py."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

import click
import dotenv

_AS_STARTED = Path("/proc/self/environ")


def read_environment() -> dict[str, str]:
    """Return the environment without what the `flask` command has mixed into it from a `.env` or `.flaskenv`.

    Flask does that before it loads the app, in production too. What this process was started with tells the two
    apart; where a system does not say (macOS), a name that stands in both with one value counts as the file's.
    """
    environment = dict(os.environ)
    if click.get_current_context(silent=True) is None:  # not a command
        return environment
    started_with = _started_with()
    for name, value in _found_by_flask().items():
        if name not in started_with and environment.get(name) == value:
            del environment[name]
    return environment


def read_dot_env(path: Path) -> dict[str, str]:
    """Return what a `.env` file says, as the `flask` command reads it too; nothing where there is none."""
    found = dotenv.dotenv_values(path, encoding="utf-8-sig") if path.exists() else {}
    return {name: value for name, value in found.items() if value is not None}


def make_secrets_once(instance: Path) -> dict[str, str]:
    """Return the development secrets, made the first time anyone asks; never used in production."""
    path = instance / "secrets.json"
    if not path.exists():
        instance.mkdir(parents=True, exist_ok=True)
        made = {
            "GIFTSHOP_SECRET_KEY": secrets.token_hex(32),
            "GIFTSHOP_CODE_PEPPER": secrets.token_hex(32),
            "GIFTSHOP_CODE_KEYS": secrets.token_hex(32),
            "STRIPE_SECRET_KEY": f"sk_test_sim_{secrets.token_hex(16)}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_sim_{secrets.token_hex(16)}",
        }
        _write_private(path, json.dumps(made, indent=1))
    loaded: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _started_with() -> set[str]:
    """Return the names this process was started with, as far as the system says."""
    try:
        pairs = os.fsdecode(_AS_STARTED.read_bytes()).split("\0")
    except OSError:
        return set()
    return {pair.partition("=")[0] for pair in pairs}


def _found_by_flask() -> dict[str, str | None]:
    """Return what Flask takes from the files it looks for, from the working folder upwards."""
    paths = (dotenv.find_dotenv(name, usecwd=True) for name in (".flaskenv", ".env"))
    found: dict[str, str | None] = {}
    for path in filter(None, paths):
        found |= dotenv.dotenv_values(path, encoding="utf-8")
    return found


def _write_private(path: Path, text: str) -> None:
    """Write for the owner's eyes only, whole or not at all; of two starters at once the first one's file stays."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
