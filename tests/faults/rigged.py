"""The shop with failpoints, shorter pauses and perhaps one bug, for processes of fault tests."""

import os
from pathlib import Path

import pytest

from giftshop.app import create_app
from giftshop.delivery import stuck
from giftshop.foundation import heartbeats
from giftshop.web.limiter import limiter
from tests.faults import bugs, failpoints

folder = Path(os.environ["FAILPOINTS"])
patches = pytest.MonkeyPatch()
failpoints.install(patches, folder)
patches.setattr(stuck, "BACK_OFF_MINUTES", (0.04,) * len(stuck.BACK_OFF_MINUTES))
patches.setattr(heartbeats, "BEAT_SECONDS", 0.5)
patches.setattr(heartbeats, "SILENT_SECONDS", 3.0)
bugs.plant(os.environ.get("PLANTED_BUG", ""), patches)

app = create_app()
limiter.enabled = os.environ.get("RIGGED_LIMITS") != "off"  # a long run's two people do the work of hundreds
app.wsgi_app = failpoints.Answering(app.wsgi_app, folder)  # type: ignore[method-assign]
