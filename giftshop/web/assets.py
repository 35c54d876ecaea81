"""Addresses of static files that change with their content, so that browsers may keep them for a year."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import current_app


def asset(name: str) -> str:
    """Return the address of a file in the static folder ("js/copy.js" → "/static/js/copy.js?v=1f3a…")."""
    return _versioned(Path(current_app.static_folder or ""), name)


@lru_cache(maxsize=64)
def _versioned(folder: Path, name: str) -> str:
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:8]}"
