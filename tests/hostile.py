"""Hostile input for every form: what is typed, pasted, forged or broken on its way, the same in every run."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import quote_from_bytes

from flask.testing import FlaskClient

from giftshop.web.limiter import limiter
from tests import build
from tests.faults import THOROUGH

MANY = 500 if THOROUGH else 150
"""So many inputs for each field: all of them by `make thorough`."""
CALM = (400, 403, 409, 413, 422)
"""How a refusal is answered; anything above is a fault of ours, and a success would have moved something."""

SEEDS = [
    "",
    "\0",
    "a\0b",
    "x" * 10_000,
    "é" * 10_000,
    "Z" + "\u0301" * 10_000,
    "\u202eevil",
    "\u2066x",
    "Ana\r\nBcc: all@example.com",
    "a\u2028b",
    "\ufeff\u200b\u200d",
    "1e400",
    "-5",
    "+5",
    "٣",
    "１２.５０.７５",
    "1_000",
    "NaN",
    "Infinity",
    "sNaN",
    "0x10",
    "9" * 5_000,
    str(2**63),
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}",
    "${7*7}#{7*7}",
    "file:///etc/passwd",
    "http://127.0.0.1:9/",
    "//evil.example",
    "' OR 1=1 --",
    "a@b@c",
    "a@x.com\nb@x.com",
    "2026-02-30",
    "0000-00-00",
    "９９９９-１２-３１",
    "²",
    "👩‍👩‍👧‍👦" * 30,
    "한글محمدעברית" * 20,
]
_WATCHERS: list[set[str]] = []
_REACHES: dict[str, Callable[[tuple[Any, ...]], str]] = {
    "socket.connect": lambda arguments: "{}:{}".format(*arguments[1][:2]),
    "socket.getaddrinfo": lambda arguments: str(arguments[0]),
    "subprocess.Popen": lambda arguments: str(arguments[0]),
    "open": lambda arguments: str(arguments[0]),
}
"""What Python tells of a program that leaves itself, and the place it names each time."""
_NASTY = [
    "\0",
    "\r\n",
    "\u202e",
    "\ud800",
    "<",
    "&",
    "\u0300",
    "٣",
    "💣",
    "{{",
    "%s",
    "\\",
    "\x7f",
    "\x85",
    "\U000e0001",
]


def hostile_inputs(count: int = MANY) -> list[str]:
    """Return that many different inputs: the known bad ones, and mixtures that are the same in every run."""
    chance = random.Random(20261124)
    made = [
        "".join(chance.choice(_NASTY + SEEDS[:30]) for _ in range(chance.randint(1, 6)))[:12_000]
        for _ in range(count - len(SEEDS))
    ]
    return SEEDS + made


def send_each(
    client: FlaskClient, path: str, field: str, inputs: list[str], **others: str
) -> Iterator[tuple[str, str]]:
    """Send each input in a field beside the others, with no tries counted; yield it with the page that came back.

    The page refuses calmly, runs nothing of what was typed and tells nothing of how it is made.
    """
    for hostile in inputs:
        limiter.reset()
        answer = client.post(path, **encode_raw({"request_key": build.request_key(), **others, field: hostile}))
        assert answer.status_code in CALM, (answer.status_code, hostile[:60])
        assert "Traceback" not in answer.text
        assert "<script>alert" not in answer.text
        assert "\0" not in answer.text
        yield hostile, answer.text


@contextmanager
def watch_what_is_reached() -> Iterator[set[str]]:
    """Collect what this process asks for meanwhile: hosts looked up and connected to, programs, files of passwords."""
    if not _WATCHERS:
        sys.addaudithook(_note_reached)  # stays until the process ends
    reached: set[str] = set()
    _WATCHERS.append(reached)
    yield reached
    _WATCHERS.remove(reached)


def as_shown(typed: str) -> str:
    """Return what a page shows of what was typed: NUL as the sign for "unreadable", surrogates by their bytes."""
    readable = typed.replace("\0", "\ufffd")
    return "".join(
        quote_from_bytes(c.encode("utf-8", "surrogatepass")) if "\ud800" <= c <= "\udfff" else c for c in readable
    )


def size_of(typed: str) -> int:
    """Return how many bytes of a form an input takes."""
    return len(_quoted(typed))


def encode_file(field: str, name: str, content: bytes) -> dict[str, Any]:
    """Return a form with one file in it as bytes for a test client."""
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
    return {"data": head + content + b"\r\n--edge--\r\n", "content_type": "multipart/form-data; boundary=edge"}


def encode_raw(fields: dict[str, str]) -> dict[str, Any]:
    """Return a form as bytes for a test client, so that lone surrogates arrive as a broken client would send them."""
    body = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields.items())
    return {"data": body, "content_type": "application/x-www-form-urlencoded"}


@lru_cache(4096)
def _quoted(text: str) -> str:
    """Return a text as a form carries it; the same inputs are sent in every field."""
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


def _note_reached(event: str, arguments: tuple[Any, ...]) -> None:
    if not _WATCHERS or event not in _REACHES:
        return
    place = _REACHES[event](arguments)
    if event != "open" or "passwd" in place:
        for reached in _WATCHERS:
            reached.add(place)
