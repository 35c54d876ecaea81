"""The command `make faults`: the long run in batches, each a fresh shop with a seed of its own, and its summary."""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

import click

from tests.faults.driver import Outcome, run

BATCH = 250
"""A fresh shop for so many purchases: a violation is then repeated in minutes, and the simulated Stripe stays fast."""
_BAR_WIDTH = 40


def main() -> int:
    """Run what was asked for; the exit status says whether anything was found."""
    asked = _parse()
    started, outcomes, done = time.monotonic(), [], 0
    click.echo(f"seed {asked.seed}, {asked.purchases} purchases on {asked.database}")
    for number in range(-(-asked.purchases // BATCH)):
        size = min(BATCH, asked.purchases - done)
        outcome = run(asked.seed + number, size, database=asked.database, progress=_progress(done, asked.purchases))
        done += size
        outcomes.append(outcome)
        _report(outcome, size, asked.database)
    _summarise(outcomes, done, time.monotonic() - started, asked.database)
    return 1 if any(outcome.violations for outcome in outcomes) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("purchases", type=int)
    parser.add_argument("--seed", type=int, default=0, help="0: a random one, which is printed")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    asked.seed = asked.seed or random.SystemRandom().randrange(1, 10**6)
    return asked


def _progress(before: int, purchases: int) -> Callable[[int], None]:
    """Return what shows how far the run has come: a bar on a terminal, a line for each tenth elsewhere."""

    def show(done: int) -> None:
        share = (before + done) / purchases
        if sys.stdout.isatty():
            bar = "#" * int(share * _BAR_WIDTH)
            click.echo(f"\r[{bar:{_BAR_WIDTH}}] {before + done}/{purchases}", nl=False)
        elif (before + done) * 10 // purchases > (before + done - 1) * 10 // purchases:
            click.echo(f"{before + done} of {purchases} purchases lived through")

    return show


def _report(outcome: Outcome, purchases: int, database: str) -> None:
    newline = "\n" if sys.stdout.isatty() else ""
    click.echo(
        f"{newline}batch of seed {outcome.seed}: {len(outcome.violations)} violations in {outcome.seconds:.0f} s"
    )
    click.echo("  " + ", ".join(f"{name}: {count}" for name, count in sorted(outcome.counts.items())))
    for check, detail in outcome.violations:
        click.echo(f"  {check}: {detail}")
    if outcome.violations:
        click.echo(f"  repeat it: make faults N={purchases} SEED={outcome.seed} DB={database}")


def _summarise(outcomes: list[Outcome], purchases: int, seconds: float, database: str) -> None:
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts += outcome.counts
    found = Counter(finding.check for outcome in outcomes for finding in outcome.violations)
    click.echo(f"\n{purchases} lives on {database} in {seconds / 60:.1f} min, {purchases / seconds * 60:.0f} a minute")
    for name in sorted(counts):
        click.echo(f"  {name:45} {counts[name]:7}")
    click.echo(f"  {'violations':45} {found.total():7}")
    for check, count in found.items():
        click.echo(f"    {check:43} {count:7}")


if __name__ == "__main__":
    sys.exit(main())
