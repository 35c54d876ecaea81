"""The command `make mutants`: change one thing at a time in the code that moves money, and count what tests notice."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import click
from mutmut.stats import status_by_exit_code

TREE = Path("mutants")
KILLED = ("killed", "timeout")
"""A mutant on which the tests never end is noticed as well as one on which they fail."""


def main(module: str) -> int:
    """Try all mutants of one module, named like "ledger", or of all (""); the exit status is mutmut's."""
    modules = [path for path in _configured_modules() if module in ("", path.stem)]
    if not modules:
        names = ", ".join(path.stem for path in _configured_modules())
        click.echo(f"There is no module {module!r} to change; choose one of {names}.", err=True)
        return 2
    shutil.rmtree(TREE / "tests", ignore_errors=True)  # mutmut only adds: a renamed test would stay
    patterns = [f"{_dotted(path)}.x*" for path in modules]
    mutmut = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", "1", *patterns]
    status = subprocess.run(mutmut, check=False).returncode
    if status == 0:
        _print_table(modules)
    return status


def _configured_modules() -> list[Path]:
    with Path("pyproject.toml").open("rb") as file:
        return [Path(name) for name in tomllib.load(file)["tool"]["mutmut"]["only_mutate"]]


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


def _print_table(modules: list[Path]) -> None:
    """Print the figures of each module, then the names of the mutants that no test noticed."""
    click.echo(f"\n{'module':42}{'mutants':>8}{'killed':>8}{'survived':>10}{'score':>8}")
    survivors = []
    for path in modules:
        outcomes = _outcomes(path)
        counts = Counter(outcome in KILLED for outcome in outcomes.values())
        score = f"{100 * counts[True] / counts.total():.1f} %"
        click.echo(f"{path!s:42}{counts.total():8}{counts[True]:8}{counts[False]:10}{score:>8}")
        survivors += [f"{outcome:12} {name}" for name, outcome in outcomes.items() if outcome not in KILLED]
    click.echo(
        "\n" + "\n".join(["`mutmut show NAME` prints a survivor:", *survivors] if survivors else ["No survivor."])
    )


def _outcomes(path: Path) -> dict[str, str]:
    """Return what became of each mutant of a module, by its name."""
    meta = json.loads((TREE / f"{path}.meta").read_text())
    return {name: status_by_exit_code[code] for name, code in meta["exit_code_by_key"].items()}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or [""]))
