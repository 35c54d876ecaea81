"""One seed for all that chance decides in tests: the order they run in, examples, moments at which processes die."""

import os

import pytest

SEED = int(os.environ.get("SEED", "1"))


def fix_seeds(config: pytest.Config) -> None:
    """Let pytest-randomly and Hypothesis begin with it, unless they were told another."""
    if config.getoption("randomly_seed", "") == "default":
        config.option.randomly_seed = SEED
    if config.getoption("hypothesis_seed", "") is None:
        config.option.hypothesis_seed = str(SEED)
