"""What a program does at the front desk: find a certificate, redeem from it."""

from typing import Any

from flask.testing import FlaskClient

from giftshop.ledger.models import Certificate
from tests import build

JSON = {"Accept": "application/json"}


def find(client: FlaskClient, certificate: Certificate) -> str:
    """Find a certificate by its code; return the path of its page."""
    path = client.post("/redeem", data={"code": build.code_of(certificate)}).location
    assert path is not None
    return path


def redeem(client: FlaskClient, path: str, amount: str, **fields: Any) -> Any:
    """Send the redemption form as a program does."""
    data = {"amount": amount, "request_key": build.request_key(), **fields}
    return client.post(path, data=data, headers=JSON)
