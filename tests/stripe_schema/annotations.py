"""Resolves the annotations of the SDK's classes, also those imported for type checkers only; for `schemas`."""

import ast
import importlib
import inspect
import sys
import typing
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, get_origin

from stripe import RequestOptions


def resolve_hints(declared: type) -> dict[str, Any]:
    """Return the resolved annotations of one SDK class: a resource, a part of one, or a parameter TypedDict.

    Request options, which every parameter class inherits, and private or class-level names are left out.
    """
    module = sys.modules[declared.__module__]
    left_out = RequestOptions.__annotations__ if hasattr(declared, "__required_keys__") else {}
    own = {
        name: hint
        for name, hint in declared.__annotations__.items()
        if name not in left_out and not _is_class_level(hint) and name[0] != "_"
    }
    return typing.get_type_hints(SimpleNamespace(__annotations__=own), vars(module), _Names(module))


def _is_class_level(hint: Any) -> bool:
    origin: Any = get_origin(hint)
    return origin is ClassVar


class _Names(dict[str, Any]):
    """The names a module imports under `if TYPE_CHECKING:`, each imported when it is first asked for."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__()
        self._places = _type_checking_imports(module)

    def __missing__(self, name: str) -> Any:
        module, original = self._places[name]
        return getattr(importlib.import_module(module), original)


@cache
def _type_checking_imports(module: ModuleType) -> dict[str, tuple[str, str]]:
    blocks = [
        node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    imports = [node for block in blocks for node in ast.walk(block) if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: (node.module or "", alias.name) for node in imports for alias in node.names}
