"""How gunicorn serves the rigged shop: as the real one, with its modules loaded before the fork, so that a process
that was killed is back in a moment."""

import giftshop.app  # noqa: F401
from deploy.gunicorn import *  # noqa: F403

wsgi_app = "tests.faults.rigged:app"
