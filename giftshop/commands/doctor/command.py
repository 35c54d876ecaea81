"""The command: every check in turn, a line each, and an error at the end if there was a fault."""

import sys
from collections import Counter

import click

from giftshop.commands.doctor import books, machine, outside
from giftshop.commands.doctor.findings import Check, Finding, Tone, examine
from giftshop.foundation.database import db
from giftshop.foundation.terminal import one_sentence

CHECKS: dict[str, Check] = {
    "settings": machine.check_settings,
    "database": books.check_database,
    "clock": books.check_clock,
    "practice": books.check_practice,
    "work": books.check_work,
    "backup": books.check_backup,
    "stripe": outside.check_stripe,
    "webhooks": outside.check_webhooks,
    "mail": outside.check_mail,
    "address": outside.check_public_address,
    "time zones": machine.check_zone_rules,
    "fonts": machine.check_fonts,
    "disk": machine.check_disk,
    "versions": machine.check_versions,
}
COLOURS = {Tone.OK: "green", Tone.WARNING: "yellow", Tone.FAULT: "red"}


@click.command("doctor")
@one_sentence
def doctor() -> None:
    """Look at all that a live shop needs, from its keys to its proxies, and say what to do about it."""
    tones: Counter[Tone] = Counter()
    for what, check in CHECKS.items():
        for finding in examine(what, check):
            click.echo(_line(finding))
            tones[finding.tone] += 1
        db.session.remove()  # what one check has open must not be in the next one's way
    click.echo(f"{tones[Tone.FAULT]} faults, {tones[Tone.WARNING]} warnings, {tones[Tone.OK]} well.")
    sys.exit(1 if tones[Tone.FAULT] else 0)


def _line(finding: Finding) -> str:
    name = finding.tone.upper() if finding.tone == Tone.FAULT else str(finding.tone)
    tone = click.style(f"{name:8}", COLOURS[finding.tone])
    return f"{tone} {finding.what}: {finding.words}"
