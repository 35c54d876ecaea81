"""What people at work typed into a field, for the pages of signing in and of the counter."""

from flask import request


def typed_in(field: str) -> str:
    """Return what was typed, to be looked for and to be shown again.

    NUL is no letter to HTML, and PostgreSQL refuses a query with one: it comes back as the sign for "unreadable".
    """
    return request.form.get(field, "").replace("\0", "\ufffd")
