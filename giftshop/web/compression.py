"""Smaller pages on the wire: half of a page is drawing and style, which shrink to a quarter; scripts shrink to a half.

Only answers to GET are packed. What a stranger can make the server repeat (a form sent back with errors) never
shares a packed answer with a secret token, so that their sizes tell nothing (the BREACH attack).
"""

import gzip

from flask import Response, request

_PACKED = ("text/html", "text/css", "text/javascript", "image/svg+xml")
_SMALLEST, _LEVEL = 1_000, 9


def pack(response: Response) -> Response:
    """Return the answer gzipped when that pays and the browser takes it."""
    if request.method != "GET" or response.mimetype not in _PACKED:
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or response.content_encoding or response.content_range:
        return response
    response.direct_passthrough = False  # a file is read whole: those of these kinds are a few kilobytes
    body = response.get_data()
    if len(body) >= _SMALLEST:
        response.set_data(gzip.compress(body, _LEVEL, mtime=0))
        response.content_encoding = "gzip"
    return response
