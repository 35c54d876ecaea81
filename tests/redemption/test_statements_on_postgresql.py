"""A redemption on PostgreSQL, where it also waits for its copies: ten statements with the one that counts tries."""

from flask import Flask

from giftshop.foundation.database import db
from giftshop.web.limiter import limiter
from tests import build
from tests.overlapping import on_postgresql
from tests.signing_in import hire, signed_in
from tests.statements import statements_to


@on_postgresql
def test_a_redemption_asks_at_most_ten_times(app: Flask) -> None:
    desk, certificate = signed_in(app, hire("staff")), build.certificate()
    path = desk.post("/redeem", data={"code": build.code_of(certificate)}).location or ""
    form = {"amount": "10", "request_key": build.request_key()}
    with statements_to(db.engine, limiter.storage._engine) as asked:  # type: ignore[attr-defined]
        assert desk.post(path, data=form, headers={"Accept": "application/json"}).status_code == 200
    assert len(asked) <= 10, asked
    assert any("pg_advisory_xact_lock" in each for each in asked)
    assert any("rate_limit" in each for each in asked)
