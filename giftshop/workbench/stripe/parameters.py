"""Reads a call's form into typed values by the SDK's own parameter types, for the simulated API.

Strict callers (those that speak the pinned version) are refused what those types do not name.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from types import SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import stripe.params
import stripe.params.checkout
from stripe import RequestOptions

from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError

_BOOLEANS = {"true": True, "false": False}


def decode(pairs: Iterable[tuple[str, str]]) -> Json:
    """Turn `a[b][0]=c` into {"a": {"b": {"0": "c"}}}; ApiError for a key that makes no sense."""
    tree: Json = {}
    for key, value in pairs:
        if not re.fullmatch(r"[^\[\]]+(\[[^\[\]]*\])*", key):
            raise ApiError(f"Invalid parameter name: {key}")
        head, *tail = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key)
        _plant(tree, [head, *tail], value)
    return tree


def read(pairs: Iterable[tuple[str, str]], params: str, *, strict: bool) -> Json:
    """Return typed values for the SDK's parameter class of that name, like `checkout.SessionCreateParams`.

    Without a class (""), as for calls the SDK does not make, everything stays text.

    Raises ApiError (400) naming the first parameter that is unknown, missing or of the wrong type.
    """
    tree = decode(pairs)
    return _typed_dict(tree, _params_class(params), "", strict) if params else tree


def _plant(tree: Json, path: list[str], value: str) -> None:
    branch = tree
    for step in path[:-1]:
        branch = branch.setdefault(step or str(len(branch)), {})
        if not isinstance(branch, dict):
            raise ApiError(f"Invalid parameter: {path[0]} is given both as a value and as an object")
    branch[path[-1] or str(len(branch))] = value


@cache
def _params_class(name: str) -> Any:
    found: Any = stripe.params
    for part in name.split("."):
        found = getattr(found, part)
    return found


@cache
def _hints(params: Any) -> dict[str, Any]:
    """Resolve the annotations of an SDK TypedDict, without the request options it inherits."""
    own = {k: v for k, v in params.__annotations__.items() if k not in RequestOptions.__annotations__}
    module = __import__(params.__module__, fromlist=["_"])
    return get_type_hints(SimpleNamespace(__annotations__=own), vars(module))


def _typed_dict(value: Any, params: Any, name: str, strict: bool) -> Json:
    hints = _hints(params)
    if not isinstance(value, dict):
        raise ApiError("Invalid object", param=name)
    for key in value:
        if strict and key not in hints:
            full = _inside(name, key)
            raise ApiError(f"Received unknown parameter: {full}", code="parameter_unknown", param=full)
    for key in sorted(params.__required_keys__ & hints.keys()):
        if strict and key not in value:
            full = _inside(name, key)
            raise ApiError(f"Missing required param: {full}.", code="parameter_missing", param=full)
    return {key: _typed(value[key], hints[key], _inside(name, key), strict) for key in value if key in hints}


def _inside(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def _typed(value: Any, hint: Any, name: str, strict: bool) -> Any:
    origin = get_origin(hint)
    if hasattr(hint, "__required_keys__"):
        return _typed_dict(value, hint, name, strict)
    if origin in (Union, UnionType):
        return _one_of(value, hint, name, strict)
    if origin is list:
        return _list(value, get_args(hint)[0], name, strict)
    if origin is dict:
        return _dict(value, name)
    return _READERS.get(hint, _choice)(value, hint, name)


def _one_of(value: Any, hint: Any, name: str, strict: bool) -> Any:
    """Read a union: the first alternative that fits; a list of literals next to plain text is closed."""
    options = [option for option in get_args(hint) if "UntypedStripeObject" not in str(option)]
    if any(get_origin(option) is Literal and get_args(option) != ("",) for option in options):
        options = [option for option in options if option is not str]
    refusal: ApiError | None = None
    for option in options:
        try:
            return _typed(value, option, name, strict)
        except ApiError as error:
            refusal = error
    raise refusal or ApiError(f"Invalid {name}", param=name)


def _list(value: Any, hint: Any, name: str, strict: bool) -> list[Any]:
    if not isinstance(value, dict) or not all(key.isdecimal() for key in value):
        raise ApiError("Invalid array", param=name)
    return [_typed(value[key], hint, _inside(name, key), strict) for key in sorted(value, key=int)]


def _dict(value: Any, name: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ApiError("Invalid object", param=name)
    return {key: _string(entry, str, _inside(name, key)) for key, entry in value.items()}


def _string(value: Any, _hint: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ApiError("Invalid string", param=name)
    return value


def _integer(value: Any, _hint: Any, name: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def _boolean(value: Any, _hint: Any, name: str) -> bool:
    if value not in ("true", "false"):
        raise ApiError(f"Invalid boolean: {value}", param=name)
    return _BOOLEANS[value]


def _decimal(value: Any, _hint: Any, name: str) -> str:
    try:
        return str(Decimal(value))
    except (InvalidOperation, TypeError, ValueError):
        raise ApiError(f"Invalid decimal: {value}", param=name) from None


def _choice(value: Any, hint: Any, name: str) -> Any:
    allowed = get_args(hint)
    if value not in allowed:
        raise ApiError(f"Invalid {name}: must be one of {', '.join(map(str, allowed))}", param=name)
    return value


_READERS: dict[Any, Callable[[Any, Any, str], Any]] = {
    str: _string, int: _integer, bool: _boolean, Decimal: _decimal, float: _decimal,
}  # fmt: skip
