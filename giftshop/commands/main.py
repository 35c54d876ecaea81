"""The commands of the shop (`flask …`), each a thin door to a rule."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from giftshop.catalog.sample import seed_sample
from giftshop.certificates import look_up
from giftshop.commands import corrections as office_commands
from giftshop.commands import ledger
from giftshop.commands.doctor.command import doctor
from giftshop.commands.practice import practice
from giftshop.commands.staff import staff
from giftshop.commands.starting import guard, refuse_wrong_start
from giftshop.documents.pdf import PAPERS, Paper
from giftshop.documents.printing import certificate_pdf
from giftshop.errors import ShopError
from giftshop.foundation import jobs
from giftshop.foundation.database import db
from giftshop.foundation.setting_checks import list_doubtful, list_wrong
from giftshop.foundation.settings import Settings
from giftshop.foundation.terminal import one_sentence, progress
from giftshop.money import format_amount
from giftshop.reconciliation.close import close_period
from giftshop.reconciliation.run import Report, reconcile
from giftshop.staff import accounts

orders = AppGroup("orders", help="Orders.")
certificates = AppGroup("certificates", help="Certificates.")
settings_group = AppGroup("settings", help="Settings.")


def add_commands(app: Flask) -> None:
    """Add every command to the app; `restore`, `doctor` and `settings check` are there when the secrets are wrong."""
    for group in (practice, staff, orders, certificates, settings_group):
        app.cli.add_command(group)
    for command in office_commands.OF_ORDERS:
        orders.add_command(command)
    for command in office_commands.OF_CERTIFICATES:
        certificates.add_command(command)
    app.cli.add_command(seed)
    app.cli.add_command(worker)
    app.cli.add_command(doctor)
    ledger.add_commands(app)


@click.command()
@one_sentence
def seed() -> None:
    """Add the sample practice, its offers and its staff (development only)."""
    if _settings().is_production:
        raise ShopError("`flask seed` is for development: it would add known passwords.")
    was_added = seed_sample()
    accounts.seed_staff()
    db.session.commit()
    click.echo("The sample practice is there." if was_added else "There is a practice already; nothing was added.")


@click.command()
@one_sentence
def worker() -> None:
    """Run jobs until stopped (SIGTERM or Ctrl-C)."""
    refuse_wrong_start(is_replacement=True)  # while an update rolls, the older workers go on
    jobs.run_worker(current_app._get_current_object())  # type: ignore[attr-defined]


@orders.command("reconcile")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Look back to this day (UTC).")
@one_sentence
def reconcile_orders(since: datetime | None) -> None:
    """Ask Stripe about everything that may have been missed, and put it right."""
    report = Report()
    moment = since.replace(tzinfo=UTC) if since else None
    with progress("Asking Stripe") as say:
        for report in reconcile(current_app.extensions["stripe_gateway"], since=moment):
            say(report.checked)
    for line in report.changed + report.problems:
        click.echo(line)
    click.echo(f"Checked {report.checked}, changed {len(report.changed)}, problems {len(report.problems)}.")
    if report.problems:
        raise ShopError("Some orders need a person; see above.")


@orders.command("close")
@click.argument("first", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("last", type=click.DateTime(["%Y-%m-%d"]))
@one_sentence
def close_orders(first: datetime, last: datetime) -> None:
    """Close the days FIRST to LAST: Stripe, journal and certificates side by side, every difference by its name."""
    with progress("Asking Stripe") as say:
        gateway = current_app.extensions["stripe_gateway"]
        close = close_period(gateway, first=first.date(), last=last.date(), say=say)
    click.echo(f"{'':28}{'Stripe':>16}{'journal':>16}{'certificates':>16}")
    for line in close.lines:
        sums = (line.stripe_cents, line.journal_cents, line.certificates_cents)
        cells = ("" if cents is None else format_amount(cents, close.currency) for cents in sums)
        click.echo(f"{line.what:28}" + "".join(f"{cell:>16}" for cell in cells))
    for sentence in close.explained + close.differences:
        click.echo(sentence)
    if close.differences:
        raise ShopError(f"{len(close.differences)} differences; see above.")
    counting = ", counting what is named above" if close.explained else ""
    click.echo(f"Stripe, journal and certificates agree to the cent{counting}.")


@certificates.command("render")
@click.argument("public_id")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--paper", type=click.Choice(PAPERS), default="letter")
@one_sentence
def render(public_id: str, out: Path, paper: Paper) -> None:
    """Write a certificate's PDF to a file. It shows the code: keep it as you would cash."""
    certificate = look_up.get_certificate(public_id)
    out.write_bytes(certificate_pdf(certificate, paper=paper, base_url=_settings().base_url))
    click.echo(f"Wrote {out}.")


@settings_group.command("check")
def check() -> None:
    """Say whether the settings are right, and what they come to (no secrets). Asks nobody: `flask doctor` does."""
    settings = _settings()
    wrong = list_wrong(settings)
    shown = {
        "env": settings.env,
        "mode": settings.stripe_mode,
        "base_url": settings.base_url,
        "jobs": settings.jobs,
        "proxy_hops": settings.proxy_hops,
        "database": settings.database_url.partition(":")[0].partition("+")[0],
    }
    note = "Only the settings were looked at. `flask doctor` asks the database, Stripe and the mail server too."
    click.echo(json.dumps({**shown, "wrong": wrong, "doubtful": list_doubtful(settings), "note": note}, indent=1))
    sys.exit(1 if wrong else 0)


def _settings() -> Settings:
    settings: Settings = current_app.config["SHOP_SETTINGS"]
    return settings


for unsafe in (practice, staff, orders, certificates, seed, worker, ledger.back_up, *office_commands.OF_ORDERS):
    guard(unsafe)
for unsafe in office_commands.OF_CERTIFICATES:
    guard(unsafe)
