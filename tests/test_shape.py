"""The house's measures of folders, modules and functions, which no linter takes (CONTRIBUTING.md, "How we write")."""

import ast
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from giftshop.certificates.reasons import HoldReason
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.states import DeliveryState
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.settings import ROOT
from giftshop.ledger.kinds import Account, EntryKind
from giftshop.ledger.states import CertificateStatus
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.standings import Standing
from giftshop.orders.states import AttemptState, DisputeState, OrderState, RefundState

PACKAGE = ROOT / "giftshop"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES_OF_A_MODULE, MOST_LINES_OF_A_FUNCTION = 250, 30
MOST_FILES_OF_A_FOLDER, MOST_LOOSE_MODULES = 15, 10
MOST_MODULES_WITH_ONE_NAME, MOST_BARE_STRINGS = 8, 50
KINDS_AND_STATES: tuple[type[StrEnum], ...] = (
    Account,
    Activity,
    AlertKind,
    AttemptState,
    CertificateStatus,
    DeliveryState,
    DisputeState,
    EntryKind,
    HoldReason,
    MessageKind,
    OrderState,
    RefundState,
    Standing,
)
"""What is a kind or a state: written once, in its table; everywhere else by the table's name for it."""


def too_long(source: str) -> Iterator[str]:
    """Name a module of too many lines, and every function of too many."""
    if len(source.splitlines()) > MOST_LINES_OF_A_MODULE:
        yield "the module"
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for each in functions:
        if (each.end_lineno or 0) - each.lineno >= MOST_LINES_OF_A_FUNCTION:
            yield each.name


def public_names(source: str) -> list[str]:
    """Return what a module defines for others: functions, classes and constants without a leading underscore."""
    names: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    return [name for name in names if not name.startswith("_") and name != "log"]


def bare_strings(source: str) -> Iterator[str]:
    """Yield every string of a module that is the value of a kind or a state."""
    values = {str(member) for table in KINDS_AND_STATES for member in table}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and node.value in values:
            yield str(node.value)


def is_of_the_shop(module: Path) -> bool:
    """Tell whether a module is the shop's: the workbench may import none of its tables and speaks Stripe's words."""
    return "workbench" not in module.relative_to(PACKAGE).parts


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


def test_no_folder_holds_more_files_than_a_reader_takes_in() -> None:
    files = Counter(str(module.parent.relative_to(ROOT)) for module in MODULES)
    assert {folder: count for folder, count in files.items() if count > MOST_FILES_OF_A_FOLDER} == {}


def test_few_modules_lie_loose_beside_the_folders() -> None:
    assert len([module for module in MODULES if module.parent == PACKAGE]) <= MOST_LOOSE_MODULES


def test_few_modules_give_one_thing_only() -> None:
    small = [
        str(module.relative_to(ROOT))
        for module in MODULES
        if module.name not in ("__init__.py", "__main__.py") and len(public_names(module.read_text())) <= 1
    ]
    assert len(small) <= MOST_MODULES_WITH_ONE_NAME, small


def test_kinds_and_states_are_written_once() -> None:
    found = {
        str(module.relative_to(ROOT)): list(bare_strings(module.read_text()))
        for module in MODULES
        if is_of_the_shop(module)
    }
    assert sum(map(len, found.values())) <= MOST_BARE_STRINGS, {name: each for name, each in found.items() if each}


def test_what_the_measures_count_is_counted() -> None:
    assert public_names("A = 1\n_B = 2\nlog = 3\ndef c() -> None: ...\nclass D: ...\nx: int = 4") == [
        "A",
        "c",
        "D",
        "x",
    ]
    assert list(bare_strings('x = order.state == "in_review" or entry.kind in ("redeem", "else")')) == [
        "in_review",
        "redeem",
    ]
