"""The WSGI entry point: `gunicorn wsgi:app`, `flask …`. A start that must be refused ends with one sentence."""

import sys

from giftshop.app import create_app
from giftshop.catalog.practice import refuse_other_money
from giftshop.errors import SettingsError, WrongDatabaseError

WRONG_SETTINGS = 3
"""The exit status at which gunicorn ends, too, instead of starting its worker again and again."""

try:
    app = create_app()
    with app.app_context():
        refuse_other_money(app.config["SHOP_SETTINGS"].stripe_mode)
except (SettingsError, WrongDatabaseError) as refusal:
    print(refusal.message, file=sys.stderr)  # noqa: T201  # logs may not be set up yet
    raise SystemExit(WRONG_SETTINGS) from None
