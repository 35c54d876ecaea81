"""The sentences of refusals, found in the docstrings of their classes, for whoever extracts what is to be translated.

`translations/babel.cfg` names `extract` as the way to read the shop's Python: it finds what gettext's own way finds,
and the docstring of every class that a refusal can be.
"""

import ast
import builtins
import inspect
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Yield what is to be translated in a module, as Babel asks an extraction method (line, function, message, …)."""
    source = file.read()
    file.seek(0)
    yield from extract_python(file, keywords, comment_tags, dict(options))  # type: ignore[arg-type]
    for refusal in find_refusals(source):
        yield refusal.lineno, None, inspect.cleandoc(ast.get_docstring(refusal, clean=False) or ""), []


def find_refusals(source: bytes | str) -> list[ast.ClassDef]:
    """Return the classes of a module that are refusals with a sentence: …Error, made of ShopError or another such."""
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    return [each for each in classes if _is_refusal(each) and ast.get_docstring(each)]


def _is_refusal(found: ast.ClassDef) -> bool:
    """Tell refusals from other exceptions: none of theirs stands on one that Python itself has."""
    bases = [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in found.bases]
    is_made_of_one = any(base.endswith("Error") and not hasattr(builtins, base) for base in bases)
    return found.name == "ShopError" or (found.name.endswith("Error") and is_made_of_one)
