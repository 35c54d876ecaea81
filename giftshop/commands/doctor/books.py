"""What the doctor asks the database: is it ours and well, does it keep time, who works here, is it backed up."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.backups import postgres_programs
from giftshop.catalog.practice import find_practice, get_installation, is_open_for_sales
from giftshop.certificates.key_marks import compare_keys
from giftshop.commands.doctor.findings import Finding, fault, ok, shop_settings, warning
from giftshop.commands.starting import describe_migrations
from giftshop.delivery import stuck
from giftshop.errors import WrongKeysError
from giftshop.foundation import jobs
from giftshop.foundation.activity_log import Activity, ActivityEvent
from giftshop.foundation.database import db, find_latest_stamp, find_migrations
from giftshop.foundation.settings import ROOT
from giftshop.notifications.models import Alert
from giftshop.reconciliation.run import LATE, find_last_run
from giftshop.staff.models import Role, Staff
from giftshop.web import limiter_storage

SKEW, MUCH = timedelta(seconds=5), timedelta(seconds=60)
BACKUP_IS_OLD = timedelta(hours=36)


def check_database() -> Iterator[Finding]:
    """Ask the database who it is and at which migration, and whether it can be written."""
    engine = db.engine
    server = ".".join(str(part) for part in engine.dialect.server_version_info or ()) if _connects() else ""
    yield ok("database", f"{engine.dialect.name} {server} answers")
    migrations = find_migrations(ROOT / "migrations")
    yield (ok if migrations.is_newest else fault)("migrations", describe_migrations(migrations))
    if not migrations.is_newest:
        return
    db.session.rollback()
    limiter_storage.prove_writing()
    yield ok("writing", "a row was written and kept")
    yield from _check_keys()


def _connects() -> bool:
    db.session.execute(sa.text("SELECT 1"))
    return True


def _check_keys() -> Iterator[Finding]:
    installation = get_installation()
    mode = shop_settings().stripe_mode
    if installation.mode != mode:
        yield fault("mode", f"The database belongs to {installation.mode} payments, the Stripe key to {mode} ones.")
    try:
        compare_keys(installation.instance_id)
    except WrongKeysError as refusal:
        yield fault("secrets", refusal.message)
    else:
        yield ok("secrets", "pepper and code keys are those this database was made with")


def check_clock() -> Iterator[Finding]:
    """Compare this machine's clock with the database server's, and with what is written there."""
    if db.engine.dialect.name == "postgresql":
        theirs = db.session.scalar(sa.text("SELECT clock_timestamp()"))
        assert isinstance(theirs, datetime)
        yield compare_clocks("the database server's", theirs)
    latest = find_latest_stamp()
    if latest is not None and latest > clock.now() + MUCH:
        yield fault(
            "clock",
            f"Something in the database is dated {latest:%Y-%m-%d %H:%M} UTC, which is still to come: this machine's"
            " clock was ahead then, or is behind now. Set it right (timedatectl); the shop goes on by itself.",
        )
    else:
        yield ok("clock", f"{clock.now():%Y-%m-%d %H:%M:%S} UTC, and nothing in the database is dated later")


def compare_clocks(whose: str, theirs: datetime) -> Finding:
    """Say how far this machine's clock is from another one."""
    off = clock.now() - theirs
    words = f"{abs(off.total_seconds()):.0f} s {'ahead of' if off > timedelta() else 'behind'} {whose} clock"
    if abs(off) > MUCH:
        return fault("clock", f"This machine's clock is {words}. Let NTP keep it: timedatectl set-ntp true")
    return (warning if abs(off) > SKEW else ok)("clock", f"{words}")


def check_work() -> Iterator[Finding]:
    """Ask what runs, and what waits for a person."""
    healthy = jobs.is_healthy()
    who = "`flask worker`" if shop_settings().jobs == "worker" else "the web process"
    words = "some process runs them" if healthy else f"No process runs them, and no mail goes out. Start {who}."
    yield (ok if healthy else fault)("jobs", words)
    last = find_last_run()
    if last is None or clock.now() - last.started_at > LATE:
        when = f"were last compared {last.started_at:%Y-%m-%d %H:%M} UTC" if last else "have never been compared"
        yield warning("reconciliation", f"The books {when} with Stripe. It runs every five minutes by itself.")
    else:
        yield ok("reconciliation", f"the books agreed with Stripe at {last.started_at:%H:%M} UTC")
    alerts = db.session.scalar(sa.select(sa.func.count(Alert.id)).where(Alert.resolved_at.is_(None))) or 0
    mail = stuck.look_at_mail(clock.now())
    if mail.waiting:
        yield (fault if mail.is_servers else warning)("waiting mail", stuck.tell_machines()[1])
    given_up = stuck.count_given_up()
    words = f"{alerts} alerts open, {given_up} messages given up"
    yield (warning if alerts or given_up else ok)("today", words + (": see /office/" if alerts or given_up else ""))


def check_practice() -> Iterator[Finding]:
    """Ask whether somebody sells here, and whether an owner can sign in."""
    practice = find_practice()
    if practice is None:
        yield fault("practice", "There is none: every page says that the shop is not open. `flask practice set FILE`")
    elif not is_open_for_sales(practice):
        yield warning("practice", f"{practice.name} does not sell at the moment.")
    else:
        yield ok("practice", f"{practice.name}, {practice.time_zone}, {practice.currency}")
    owners = list(db.session.scalars(sa.select(Staff).where(Staff.active, Staff.roles.any(Role.name == "owner"))))
    if not owners:
        yield fault("owner", "Nobody can sign in as owner. `flask staff add EMAIL --role owner`")
    elif not any(owner.tf_totp_secret for owner in owners):
        yield warning("owner", "No owner has set up a second factor yet.")
    else:
        yield ok("owner", f"{len(owners)} can sign in")


def check_backup() -> Iterator[Finding]:
    """Ask when the last backup was made by `flask backup`, and whether its programs are here."""
    backups = sa.select(ActivityEvent.at).where(ActivityEvent.kind == Activity.BACKED_UP)
    made_at = db.session.scalar(backups.order_by(ActivityEvent.at.desc()).limit(1))
    if made_at is None:
        yield warning("backup", "None was made with `flask backup`. Make one every night, and keep it elsewhere.")
    elif clock.now() - made_at > BACKUP_IS_OLD:
        yield warning("backup", f"The last one is of {made_at:%Y-%m-%d %H:%M} UTC. Make one every night.")
    else:
        yield ok("backup", f"made at {made_at:%Y-%m-%d %H:%M} UTC")
    if db.engine.dialect.name == "postgresql":
        yield ok("backup", f"PostgreSQL's programs are in {postgres_programs.find_folder(db.engine)}")
