"""Builds JSON Schema from the SDK's types, one document per class and only when it is needed; for `validators`."""

import importlib
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from stripe import ListObject, StripeObject
from stripe._stripe_object import UntypedStripeObject

from tests.stripe_schema.annotations import resolve_hints

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    Decimal: {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    NoneType: {"type": "null"},
    Any: {},
    object: {},
}
# The SDK's types carry no lengths; these are from Stripe's documentation.
_LIMITS: dict[str, Schema] = {
    "client_reference_id": {"maxLength": 200},
    "statement_descriptor": {"maxLength": 22},
    "statement_descriptor_suffix": {"maxLength": 22},
    "metadata": {
        "maxProperties": 50,
        "propertyNames": {"maxLength": 40},
        "additionalProperties": {"maxLength": 500},
    },
    "line_items": {"maxItems": 100},
    "custom_text": {"additionalProperties": {"properties": {"message": {"maxLength": 1200}}}},
}


@cache
def request_schema(params: Any) -> Schema:
    """Return the closed schema of a parameter TypedDict, with Stripe's documented lengths."""
    hints = resolve_hints(params)
    required = sorted(params.__required_keys__ & hints.keys())
    return _closed({name: _limited(name, hint) for name, hint in hints.items()}, required)


@cache
def object_schema(resource: Any) -> Schema:
    """Return the closed schema of a resource class or a part of one; required is what is not Optional."""
    hints = resolve_hints(resource)
    required = [name for name, hint in hints.items() if NoneType not in get_args(hint)]
    return _closed({name: _schema(hint) for name, hint in hints.items()}, required)


def reference(resource: type) -> Schema:
    """Return a reference to a class's schema, which is built when something has to fit it."""
    return {"$ref": f"sdk:{resource.__module__}:{resource.__qualname__}"}


def referenced(uri: str) -> Schema:
    """Return the schema that a reference names."""
    _, module, path = uri.split(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return object_schema(found)


def _closed(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _limited(name: str, hint: Any) -> Schema:
    return {"allOf": [_schema(hint), _LIMITS[name]]} if name in _LIMITS else _schema(hint)


def _schema(hint: Any) -> Schema:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(option) for option in _options(hint)]}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin in (list, dict, ListObject, UntypedStripeObject):
        return _container(origin, get_args(hint)[-1])
    return _PLAIN[hint] if hint in _PLAIN else _class(hint)


def _options(hint: Any) -> list[Any]:
    """Return the alternatives; `Literal[…] | str` is closed to the literals, on purpose."""
    options = list(get_args(hint))
    if any(get_origin(option) is Literal and get_args(option) != ("",) for option in options):
        options = [option for option in options if option is not str]
    # An unset or plain value first: nothing is looked up for an id that is not expanded.
    return sorted(options, key=lambda option: option not in (str, NoneType))


def _container(origin: Any, entry: Any) -> Schema:
    if origin is list:
        return {"type": "array", "items": _schema(entry)}
    if origin is ListObject:
        return list_schema(_schema(entry))
    return {"type": "object", "additionalProperties": _schema(entry)}


def list_schema(entry: Schema) -> Schema:
    """Return the schema of a page of a list."""
    names = {"object": {"const": "list"}, "has_more": _PLAIN[bool], "url": _PLAIN[str]}
    return _closed({**names, "data": {"type": "array", "items": entry}}, ["object", "data", "has_more", "url"])


def _class(declared: Any) -> Schema:
    if hasattr(declared, "__required_keys__"):
        return request_schema(declared)
    if declared is UntypedStripeObject:
        return {"type": "object"}
    assert issubclass(declared, StripeObject), f"no schema for {declared}"
    return reference(declared)
