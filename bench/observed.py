"""The shop as it is served, telling with every answer what it asked the database and which process it came from."""

import json
import os
import sys
from typing import Any

import sqlalchemy as sa
from flask import Response, g, has_request_context

from wsgi import app

UNCOUNTED = ("BEGIN", "PRAGMA", "select pg_catalog", "show ", "select current_schema")
"""What the driver says on a new connection or around a transaction, not what a page asks."""


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def note_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if has_request_context() and not statement.startswith(UNCOUNTED):
        g.setdefault("asked", []).append(" ".join(statement.split()))


@app.after_request
def tell(response: Response) -> Response:
    response.headers["X-Process"] = str(os.getpid())
    response.headers["X-Asked"] = json.dumps(g.get("asked", []))
    response.headers["X-Has-WeasyPrint"] = str("weasyprint" in sys.modules)
    return response
