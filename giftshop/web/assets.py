"""Static files: addresses that change with their content, and the one style sheet that pages carry inlined.

Browsers may keep a file for a year. Inlining the sheet saves the first visit a round trip; the hash that the
Content-Security-Policy names it by keeps `unsafe-inline` out of the policy.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import current_app
from markupsafe import Markup


def asset(name: str) -> str:
    """Return the address of a file in the static folder ("js/copy.js" → "/static/js/copy.js?v=1f3a…")."""
    return _versioned(Path(current_app.static_folder or ""), name)


@lru_cache(maxsize=64)
def _versioned(folder: Path, name: str) -> str:
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:8]}"


SHEETS = ("fonts/fonts.css", "css/tokens.css", "css/site.css")
"""Where the parts lie in the static folder; the faces are made at set-up and may be missing before it.

What only pages at work need (css/staff.css) is a file of its own: shoppers don't carry it.
"""


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """What stands between <style> and </style>, and its hash as a CSP source ("sha256-…", without quotes)."""

    text: Markup
    sha256: str


def read_stylesheet(static: Path) -> Stylesheet:
    """Join the sheets found in the folder `static` and leave out what only their authors need."""
    found = (static / name for name in SHEETS)
    text = compact("\n".join(path.read_text(encoding="utf-8") for path in found if path.exists()))
    if "<" in text:
        raise ValueError("a style sheet with '<' in it could end its <style> element")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Stylesheet(Markup(text), f"sha256-{digest}")  # noqa: S704  # our own files, and free of "<"


def compact(css: str) -> str:
    """Drop comments and needless white space; a string keeps its single spaces."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    joined = re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", bare))
    return joined.replace(";}", "}").strip()
