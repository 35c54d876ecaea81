"""What is written down while fault tests run: what clients heard, and what crashed when."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import requests

from tests.faults.checker import AskedRefund, Exchange


class Crash(NamedTuple):
    """A stretch of time, by the steady clock, in which whoever sends mail may have lost what came of it."""

    began_at: float
    ended_at: float


@dataclass
class Records:
    """What all clients heard."""

    history: list[Exchange] = field(default_factory=list)
    refunds: list[AskedRefund] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    crashes: list[Crash] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, number: int = 1) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + number

    @contextmanager
    def crash(self, what: str, *, is_harmless: bool = False) -> Iterator[None]:
        """Keep that something broke, from here to the end of the block; `is_harmless` when no mail goes twice."""
        began_at = time.monotonic()
        yield
        self.count(what)
        with self.lock:
            self.crashes += [] if is_harmless else [Crash(began_at, time.monotonic())]

    def note(self, exchange: Exchange) -> None:
        with self.lock:
            self.history.append(exchange)
        if exchange.outcome == "unknown":
            self.count("unknown outcomes")

    def judge(self, what: str, answer: requests.Response) -> None:
        """Keep an answer that tells a client nothing: a 5xx that is no 503 with Retry-After."""
        if answer.status_code >= 500 and not (answer.status_code == 503 and "Retry-After" in answer.headers):
            self.complain(f"{what}: {answer.status_code} {' '.join(answer.text.split())[:80]}")

    def complain(self, line: str) -> None:
        """Keep what was not clear, once."""
        with self.lock:
            self.unclear += [line] if line not in self.unclear else []
