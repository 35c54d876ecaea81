"""How pytest-xdist hands tests out to its processes: what takes longest first, what belongs together in one piece."""

import zlib
from collections import OrderedDict

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER = {
    "tests/stripe_cases/": "cases",
    "tests/races/": "races",
    "tests/faults/test_storms.py": "broken shops",
    "tests/faults/test_failpoints.py": "broken shops",
}
"""Where tests share a running shop, on either database: each name stays on one process."""
WITH_A_BROWSER = ("browser", "test_working_at_the_counter", "test_letters_as_drawn")
PIECES = 2
"""A file with a browser goes in so many pieces: to open one takes as long as a test or two."""
LONGEST_FIRST = (
    "tests/faults/test_killed_processes",
    "broken shops",
    "cases",
    "tests/reconciliation/test_event_orders.py::test_720",
    "races",
    "tests/journeys/",
    "tests/refunds/test_money_in_any_order",
    "tests/storefront/test_moment_that_was_said",
    "tests/faults/test_refund_races",
    "tests/foundation/test_jobs",
    "tests/faults/test_seeded_bugs",
    "tests/test_devserver",
    "with a browser",
    "tests/reconciliation/test_event_orders",
    "hostile_input",
)
"""Parts of names, in this order: what waits for a process that was killed or a server to start before what works."""


class ByPlace(LoadScopeScheduling):
    """Hands out tests one by one, but in one piece those that share a shop, and in a few each file with a browser.

    An open Playwright keeps an event loop in its process. Marks cannot say it: pytest 9.2 hides them from xdist 3.8.
    """

    _is_in_order = False

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._is_in_order:
            self.workqueue = OrderedDict(sorted(self.workqueue.items(), key=lambda unit: _turn(unit[0])))
            self._is_in_order = True
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        for place, name in TOGETHER.items():
            if path.startswith(place):
                return f"{name} on {'postgresql' if 'postgresql' in nodeid else 'sqlite'}"
        if any(part in path for part in WITH_A_BROWSER):
            return f"with a browser: {path}, {zlib.crc32(nodeid.encode()) % PIECES}"
        return nodeid


def _turn(scope: str) -> int:
    """Return whose turn comes before whose; among equals chance decides, as everywhere."""
    return next((turn for turn, part in enumerate(LONGEST_FIRST) if part in scope), len(LONGEST_FIRST))
