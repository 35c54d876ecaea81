"""What fault tests share: a workbench whose webhooks nobody hears, and a mail server."""

from collections.abc import Iterator

import pytest

from tests.delivery.mail_servers import MailServer, running_mail_server
from tests.workbench.running import RunningWorkbench, start_workbench


@pytest.fixture(scope="session")
def quiet_workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorkbench]:
    """A simulated Stripe for scenarios in one process."""
    with start_workbench(tmp_path_factory.mktemp("workbench")) as bench:
        yield bench


@pytest.fixture
def workbench(quiet_workbench: RunningWorkbench) -> RunningWorkbench:
    """It, with everything forgotten."""
    quiet_workbench.post("/reset")
    quiet_workbench.post("/hook", {"drop": -1})
    return quiet_workbench


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that takes everything until a test tells it otherwise."""
    with running_mail_server() as server:
        yield server
