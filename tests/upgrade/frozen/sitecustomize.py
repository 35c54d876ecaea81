"""Stops the clock of any Python program that is told so, whatever version it is; found by PYTHONPATH at its start."""

import os

if moment := os.environ.get("REHEARSAL_MOMENT"):
    import time_machine

    time_machine.travel(float(moment), tick=False).start()
