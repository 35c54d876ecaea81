"""The shop with failpoints, shorter pauses, a door for refunds and perhaps one bug, for processes of fault tests."""

import os
from pathlib import Path

import pytest

from giftshop import heartbeats
from giftshop.app import create_app
from giftshop.delivery import deliveries
from giftshop.limits import limiter
from giftshop.staff import rights
from tests.faults import bugs, failpoints, refund_door

folder = Path(os.environ["FAILPOINTS"])
patches = pytest.MonkeyPatch()
failpoints.install(patches, folder)
patches.setattr(deliveries, "BACK_OFF_MINUTES", (0.04,) * len(deliveries.BACK_OFF_MINUTES))
patches.setattr(heartbeats, "BEAT_SECONDS", 0.5)
patches.setattr(heartbeats, "SILENT_SECONDS", 3.0)
patches.setattr(rights, "PUBLIC_BLUEPRINTS", rights.PUBLIC_BLUEPRINTS | {"rig"})
bugs.plant(os.environ.get("PLANTED_BUG", ""), patches)

app = create_app()
app.register_blueprint(refund_door.blueprint)
limiter.enabled = os.environ.get("RIGGED_LIMITS") != "off"  # a long run's two people do the work of hundreds
app.extensions["csrf"].exempt(refund_door.blueprint)
app.wsgi_app = failpoints.Answering(app.wsgi_app, folder)  # type: ignore[method-assign]
