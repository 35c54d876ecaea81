"""The running workbench: its configuration, memory, clock, ids and bell, handed to every function as `bench`."""

import hashlib
import string
import threading
import time
from dataclasses import dataclass, field

from giftshop.workbench.configuration import Configuration
from giftshop.workbench.store import Json, Store

_ALPHABET = string.digits + string.ascii_letters


class Bell:
    """Wakes the threads that deliver events, and the pages that wait for an answer."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    @property
    def rung(self) -> int:
        return self._rung

    def ring(self) -> None:
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, since: int, seconds: float) -> None:
        """Wait until it has been rung since `rung` was `since`, but no longer than that many seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung != since, timeout=max(seconds, 0))


@dataclass
class Workbench:
    """One run of the workbench."""

    config: Configuration
    store: Store
    bell: Bell = field(default_factory=Bell)
    keys_in_flight: set[str] = field(default_factory=set)
    guard: threading.Lock = field(default_factory=threading.Lock)
    halt: threading.Event = field(default_factory=threading.Event)

    def now(self) -> int:
        """Return the simulated moment, whole seconds since 1970; the clock knob moves it."""
        offset: int = self.store.setting("clock", 0)
        return int(time.time()) + offset

    def new_id(self, prefix: str, length: int = 24) -> str:
        """Return a fresh id like `pi_…`; the same sequence of them under the same seed."""
        number = int.from_bytes(self._draw(prefix), "big")
        symbols = []
        for _ in range(length):
            number, index = divmod(number, len(_ALPHABET))
            symbols.append(_ALPHABET[index])
        return prefix + "".join(symbols)

    def chance(self) -> float:
        """Return a number from 0 to 1, repeatable under the same seed."""
        return int.from_bytes(self._draw("chance")[:6], "big") / 2**48

    def pause(self, seconds: float) -> None:
        """Do nothing for so long, unless everything is reset meanwhile."""
        self.halt.wait(seconds)

    def reset(self) -> None:
        """Forget everything, and let nobody pause any longer."""
        self.store.clear()
        self.keys_in_flight = set()
        halted, self.halt = self.halt, threading.Event()
        halted.set()

    def hook(self, extra: Json | None = None) -> Json:
        """Return the delivery knobs that hold now, with `extra` on top."""
        return {**self.store.setting("hook", self.config.hook), **(extra or {})}

    def shop_url(self) -> str:
        url: str = self.store.setting("shop_url", self.config.shop_url)
        return url

    def _draw(self, purpose: str) -> bytes:
        with self.store.transaction():
            count: int = self.store.setting("drawn", 0) + 1
            self.store.set_setting("drawn", count)
        return hashlib.sha512(f"{self.config.seed}:{purpose}:{count}".encode()).digest()


def open_workbench(config: Configuration) -> Workbench:
    """Open the workbench's memory, made when it is new."""
    return Workbench(config=config, store=Store(config.state))
