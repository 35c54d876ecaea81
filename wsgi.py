"""The WSGI entry point: `gunicorn wsgi:app`, `flask …`. A start that must be refused ends with one sentence."""

import os
import sys

import click

from giftshop.app import create_app
from giftshop.catalog.practice import refuse_other_money
from giftshop.commands.starting import refuse_wrong_start
from giftshop.errors import SettingsError, WrongDatabaseError, WrongKeysError

WRONG_SETTINGS = 3
"""The exit status at which gunicorn ends, too, instead of starting its worker again and again."""

try:
    app = create_app()
    with app.app_context():
        if click.get_current_context(silent=True) is None:
            refuse_wrong_start(is_replacement="GIFTSHOP_IS_REPLACEMENT" in os.environ)
        else:  # a command: migrating and restoring are there to put the rest right
            refuse_other_money(app.config["SHOP_SETTINGS"].stripe_mode)
except (SettingsError, WrongDatabaseError, WrongKeysError) as refusal:
    print(refusal.message, file=sys.stderr)  # noqa: T201  # logs may not be set up yet
    raise SystemExit(WRONG_SETTINGS) from None
