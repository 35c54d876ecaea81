"""What happens by itself as time goes by: sessions expire, delayed payments arrive; for `app` and the clock knob."""

import threading
import time

from giftshop.workbench.state import Workbench
from giftshop.workbench.stripe.idempotency import forget_old_answers
from giftshop.workbench.stripe.objects.payments import run_due_plans
from giftshop.workbench.stripe.objects.sessions import expire_due_sessions

_PAUSE = 0.5


def run_due(bench: Workbench) -> None:
    """Do everything that is due by the simulated clock."""
    with bench.store.transaction():
        expire_due_sessions(bench)
        run_due_plans(bench)
        forget_old_answers(bench)


def start_clock(bench: Workbench) -> None:
    """Start the thread that does what is due, twice a second."""
    threading.Thread(target=_tick_for_ever, args=(bench,), name="clock", daemon=True).start()


def _tick_for_ever(bench: Workbench) -> None:
    while True:
        run_due(bench)
        time.sleep(_PAUSE)
