"""The house's measures of modules and functions, which no linter here takes (CONTRIBUTING.md, "How we write")."""

import ast
from collections.abc import Iterator

from giftshop.foundation.settings import ROOT

MODULES = sorted((ROOT / "giftshop").rglob("*.py"))
MOST_LINES_OF_A_MODULE, MOST_LINES_OF_A_FUNCTION = 250, 30


def too_long(source: str) -> Iterator[str]:
    """Name a module of too many lines, and every function of too many."""
    if len(source.splitlines()) > MOST_LINES_OF_A_MODULE:
        yield "the module"
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for each in functions:
        if (each.end_lineno or 0) - each.lineno >= MOST_LINES_OF_A_FUNCTION:
            yield each.name


def test_modules_and_functions_stay_short() -> None:
    found = {str(module.relative_to(ROOT)): list(too_long(module.read_text())) for module in MODULES}
    assert {module: names for module, names in found.items() if names} == {}


def test_every_module_says_what_it_is() -> None:
    sources = {str(module.relative_to(ROOT)): module.read_text() for module in MODULES}
    assert [module for module, source in sources.items() if source and not ast.get_docstring(ast.parse(source))] == []


def test_what_is_a_line_too_long_is_named() -> None:
    body = "\n".join(["    pass"] * (MOST_LINES_OF_A_FUNCTION - 1))
    assert list(too_long(f"def fits() -> None:\n{body}")) == []
    assert list(too_long(f"def long() -> None:\n{body}\n    pass")) == ["long"]
    assert list(too_long("\n" * (MOST_LINES_OF_A_MODULE + 1))) == ["the module"]
