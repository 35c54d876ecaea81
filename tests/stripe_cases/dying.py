"""The shop, killed as soon as it has committed what a webhook told and before the answer goes out; for case 30."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from wsgi import app

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def die_before_answering(answer: Wsgi) -> Wsgi:
    """Return an application that takes its whole process group with it instead of answering a webhook."""

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chunks = answer(environ, start_response)
        if environ["PATH_INFO"] == "/webhooks/stripe":
            os.killpg(os.getpgrp(), signal.SIGKILL)
        return chunks

    return handle


app.wsgi_app = die_before_answering(app.wsgi_app)  # type: ignore[method-assign]
