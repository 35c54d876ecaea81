"""Faults: the shop is broken on purpose while people buy, redeem and pay back (docs/faults.md)."""

import os

THOROUGH = os.environ.get("FAULTS") == "thorough"
"""Every failpoint, order of events and hostile input, fifty purchases under kill -9; otherwise a part, by chance."""
