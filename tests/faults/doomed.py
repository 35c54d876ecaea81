"""A worker that takes every delivery and dies with it, for scenarios: `python -m tests.faults.doomed DATABASE_URL`.

It says "running" once it has a job in hand, and never ends by itself. It does nothing by the clock.
"""

import sys
import time

from giftshop.app import create_app
from giftshop.foundation import jobs
from tests.conftest import make_settings

if __name__ == "__main__":
    app = create_app(make_settings(sys.argv[1]))
    jobs.register("deliver", lambda _row, _turn: (sys.stdout.write("running\n"), sys.stdout.flush(), time.sleep(600)))  # type: ignore[arg-type, return-value]
    jobs._process.recurring.clear()
    jobs.start(app)
    time.sleep(600)
