"""A full disk: readiness says so, whoever holds a certificate reads the truth and no limit, and then all goes on."""

from pathlib import Path

import pytest
import requests

from tests.faults.disk import full_disk
from tests.running import running_shop


def test_a_full_disk_is_told_as_what_it_is(tmp_path: Path, database_url: str) -> None:
    code = "K7M2-QX9R-TB4D-HVWR"
    with running_shop(tmp_path, database_url) as shop:
        assert shop.web is not None
        answer = requests.get(f"{shop.url}/readyz", timeout=20)
        assert answer.json()["wrong"] == []
        assert answer.elapsed.total_seconds() < 4  # it waits for nobody's lock, least of all its own
        with full_disk([shop.web.pid]):
            ready = requests.get(f"{shop.url}/readyz", timeout=20)
            page = requests.get(f"{shop.url}/c/{code}", timeout=20)
            alive = requests.get(f"{shop.url}/healthz", timeout=20)
        assert ready.status_code == 503
        assert any(line.startswith("The database cannot be written: ") for line in ready.json()["wrong"])
        assert alive.status_code == 200
        assert (page.status_code, "Retry-After" in page.headers) == (503, True)
        assert "something is wrong on our side" in page.text
        assert "tried many times" not in page.text
        assert requests.get(f"{shop.url}/readyz", timeout=20).status_code == 200
        assert requests.get(f"{shop.url}/c/{code}", timeout=20).status_code == 404


@pytest.mark.parametrize("path", ["/c/K7M2-QX9R-TB4D-HVWR", "/c/K7M2-QX9R-TB4D-HVWR/certificate.pdf"])
def test_a_real_limit_still_says_that_it_is_one(client, path: str) -> None:  # type: ignore[no-untyped-def]
    answers = [client.get(path, base_url="http://127.0.0.1:8000") for _ in range(11)]
    assert answers[-1].status_code == 429
