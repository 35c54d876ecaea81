"""Which form an answer shall have, for whoever answers a request: a page for people, JSON for scripts and programs."""

from flask import request


def wants_json() -> bool:
    """Tell whether this request would rather have JSON than a page."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
