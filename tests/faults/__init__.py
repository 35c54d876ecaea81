"""Faults: the shop is broken on purpose while people buy, redeem and pay back (docs/faults.md)."""

import os

THOROUGH = os.environ.get("FAULTS") == "thorough"
"""Every failpoint on both databases and fifty purchases under kill -9; otherwise a part of them by chance."""
