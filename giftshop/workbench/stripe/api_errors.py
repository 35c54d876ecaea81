"""The refusals of the simulated API in Stripe's own shape, for every module that answers a call."""

from giftshop.workbench.store import Json


class ApiError(Exception):
    """A call is refused; carries what Stripe's error object carries.

    `is_decided` says that the call was understood and then refused: such an answer is kept under its key.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        is_decided: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_decided = is_decided
        self.body: Json = {"error": {"type": kind, "message": message}}
        self.body["error"] |= {k: v for k, v in (("code", code), ("param", param)) if v is not None}


def no_such(noun: str, item_id: str, *, param: str = "id") -> ApiError:
    """Return the 404 for an id nobody knows."""
    return ApiError(f"No such {noun}: '{item_id}'", status=404, code="resource_missing", param=param)
