"""Blank Stripe objects in the shape the installed SDK declares, for the modules that fill them.

Required fields get a neutral value and optional ones null, so the shape follows the pinned version.
"""

from copy import deepcopy
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

from giftshop.workbench.store import Json

# Optional fields that Stripe leaves out unless asked for, expanded or used, instead of sending null.
_LEFT_OUT = frozenset({
    "account", "context", "deleted", "line_items", "previous_attributes", "presentment_details", "refunds",
})  # fmt: skip
_NEUTRAL: dict[Any, Any] = {str: "", int: 0, bool: False}


def build(resource: type, **fields: Any) -> Json:
    """Return a blank object of the SDK class with these fields filled in; KeyError for one it does not have."""
    if unknown := fields.keys() - resource.__annotations__.keys():
        raise KeyError(f"{resource.__name__} has no {', '.join(sorted(unknown))}")
    return {**deepcopy(_blank(resource)), **fields}


@cache
def _blank(resource: type) -> Json:
    hints = {name: hint for name, hint in resource.__annotations__.items() if not _is_class_level(hint)}
    return {name: _neutral(hint) for name, hint in hints.items() if not (_is_optional(hint) and name in _LEFT_OUT)}


def _is_class_level(hint: Any) -> bool:
    origin: Any = get_origin(hint)
    return origin is ClassVar


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


def _neutral(hint: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return None if _is_optional(hint) else _neutral(get_args(hint)[0])
    if origin is Literal:
        return get_args(hint)[0]
    if origin is list:
        return []
    if hint in _NEUTRAL:
        return _NEUTRAL[hint]
    return deepcopy(_blank(hint)) if "__annotations__" in vars(hint) else {}
