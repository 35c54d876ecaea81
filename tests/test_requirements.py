"""The pinned packages: each extra that is asked for is one that its package has."""

import re
from importlib.metadata import metadata

import pytest

from giftshop.foundation.settings import ROOT


@pytest.mark.parametrize("file", ["requirements.txt", "tests/requirements.txt"])
def test_every_extra_that_is_asked_for_exists(file: str) -> None:
    asked = re.findall(r"^([\w-]+)\[([\w,-]+)\]==", (ROOT / file).read_text(), re.MULTILINE)
    assert asked
    for name, extras in asked:
        there = set(metadata(name).get_all("Provides-Extra") or [])
        assert set(extras.split(",")) <= there, name
