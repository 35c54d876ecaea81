"""The time zone rules of 2025b, as Debian 12 has them, for the zones that tests ask about: out of the package tzdata
2025.2, whose files are in the public domain. The pinned package has newer ones, where Vancouver, Edmonton, Winnipeg and
Casablanca have changed their clocks since.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from giftshop import clock

OLD = clock.Rules("2025b", str(Path(__file__).parent / "2025b"))


@contextmanager
def going_by(*rules: clock.Rules) -> Iterator[None]:
    """Let this process find these rules on its machine meanwhile, and no others."""
    try:
        with patch.object(clock, "list_rules", lambda: list(rules)):
            clock.use_newest_rules()
            yield
    finally:
        clock.use_newest_rules()
