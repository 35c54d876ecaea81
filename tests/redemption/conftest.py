"""The front desk for the tests of this folder."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.signing_in import hire, signed_in


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """A browser at the front desk."""
    return signed_in(app, hire("staff"))
