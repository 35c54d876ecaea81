"""The shops built in this process, each kept for the next test that wants the same: building one costs more than most.

A shop also sets what its process has only one of: keys, logs, counters, jobs. Whoever is opened again sets it anew.
"""

from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from giftshop.app import create_app
from giftshop.certificates import encryption
from giftshop.delivery import deliveries
from giftshop.foundation import jobs, logs
from giftshop.foundation.settings import Settings
from giftshop.web.limiter import limiter

MOST_KEPT = 8


@dataclass
class KeptShop:
    """A shop as it was built."""

    app: Flask
    settings: Settings
    counters: dict[str, Any] = field(default_factory=lambda: dict(vars(limiter)))
    work: dict[str, jobs.Job] = field(default_factory=lambda: dict(jobs._process.jobs))
    recurring: dict[str, float] = field(default_factory=lambda: dict(jobs._process.recurring))
    mail_host: str = field(default_factory=lambda: deliveries._sender.host)
    parts: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = [dict(part) for part in self._parts()]

    def put_back(self) -> None:
        """Let the shop and its process be as they were when it was built."""
        logs.set_up_logs(self.settings)
        encryption.unlock(peppers=self.settings.code_pepper_list, keys=self.settings.code_key_list)
        deliveries._sender.host = self.mail_host
        now = (vars(limiter), jobs._process.jobs, jobs._process.recurring, *self._parts())
        kept = (self.counters, self.work, self.recurring, *self.parts)
        for part, as_built in zip(now, kept, strict=True):
            part.clear()
            part.update(as_built)

    def _parts(self) -> tuple[dict[str, Any], ...]:
        """Return what tests change of a shop."""
        return self.app.config, self.app.extensions, self.app.view_functions


_kept: dict[Settings, KeptShop] = {}


def open_shop(settings: Settings) -> Flask:
    """Return a shop with these settings, as it was built."""
    if (kept := _kept.pop(settings, None)) is None:
        app = create_app(settings)
        app.testing = True
        kept = KeptShop(app, settings)
    else:
        kept.put_back()
    _kept[settings] = kept
    for oldest in list(_kept)[:-MOST_KEPT]:
        del _kept[oldest]
    return kept.app
