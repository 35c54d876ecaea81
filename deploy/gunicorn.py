"""How gunicorn serves the shop, in development and in production; every value can be set on its command line too."""

import os
from typing import Any

from giftshop.foundation import jobs

wsgi_app = "wsgi:app"
worker_class = "giftshop.web.gunicorn_worker.WholeRequestWorker"
"""gunicorn's threads, but none waits for a request that is still arriving (decision 33)."""
threads = 8
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
accesslog = None  # the shop writes its own access lines, by route, so that no code stands in one
timeout = 30
graceful_timeout = 10
keepalive = 130
"""Seconds, longer than a proxy keeps its connections to us (Caddy 120, nginx 60): one that we close just as it sends
an order down it is answered with 502. An idle connection costs no thread."""


def post_worker_init(worker: Any) -> None:
    """Start the job engine in a web process that runs jobs itself."""
    jobs.launch(worker.app.wsgi())


def worker_exit(_server: Any, _worker: Any) -> None:
    """Let the jobs under way end before the process does."""
    jobs.stop()
