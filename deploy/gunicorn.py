"""How gunicorn serves the shop, in development and in production; every value can be set on its command line too."""

import os
from pathlib import Path
from typing import Any

from gunicorn.config import ControlSocket
from gunicorn.glogging import Logger

from giftshop.foundation import jobs, logs

wsgi_app = "wsgi:app"
worker_class = "giftshop.web.arrival.gunicorn_worker.WholeRequestWorker"
"""gunicorn's threads, but none waits for a request that is still arriving (decision 33)."""
threads = 8
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
control_socket = str(Path(ControlSocket.default).with_name(f"giftshop-{os.getpid()}.ctl"))
"""One for each shop: gunicorn's own is one for each user, and whoever starts last has it."""
accesslog = None  # the shop writes its own access lines, by route, so that no code stands in one
timeout = 30
graceful_timeout = 10
keepalive = 130
"""Seconds, longer than a proxy keeps its connections to us (Caddy 120, nginx 60): one that we close just as it sends
an order down it is answered with 502. An idle connection costs no thread."""


class MaskingLogger(Logger):
    """Gunicorn's own lines, in which codes and tokens are blanked: at its debug level it writes every address."""

    def setup(self, cfg: Any) -> None:
        """Set its handlers up, and mask what they write."""
        super().setup(cfg)
        for handler in {*self.error_log.handlers, *self.access_log.handlers}:
            handler.addFilter(logs.mask_record)


logger_class = MaskingLogger


def post_fork(server: Any, worker: Any) -> None:
    """Say to a worker whether it takes the place of one that ran: while an update rolls, the database may be ahead."""
    if worker.age > server.cfg.workers:
        os.environ["GIFTSHOP_IS_REPLACEMENT"] = "1"


def post_worker_init(worker: Any) -> None:
    """Start the job engine in a web process that runs jobs itself."""
    jobs.launch(worker.app.wsgi())


def worker_exit(_server: Any, _worker: Any) -> None:
    """Let the jobs under way end before the process does."""
    jobs.stop()
