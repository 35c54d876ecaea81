"""What scripts of our own pages are told when they send a form: where it leads, which only a browser may follow."""

import json

from flask import Flask, Response, request

BY_SCRIPT = ("X-Requested-With", "fetch")
"""The header a script sends with a form; pages of other sites cannot."""


def name_ways_on(app: Flask) -> None:
    """Answer a form that a script sent with `{"page": "/redeem/…"}` where a browser would get a redirect.

    A script that followed it would open the page unseen: what is shown once would be gone when people come.
    """

    @app.after_request
    def name_way_on(response: Response) -> Response:
        name, value = BY_SCRIPT
        if response.location and request.method == "POST" and request.headers.get(name) == value:
            response.set_data(json.dumps({"page": response.location}))
            response.status_code, response.mimetype = 200, "application/json"
            del response.headers["Location"]
        return response
