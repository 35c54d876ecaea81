"""A shop with a live key on this machine, without the https that production insists on; for gunicorn."""

from giftshop.app import create_app
from giftshop.foundation.environment import read_environment
from giftshop.foundation.settings import Settings

app = create_app(Settings.model_validate(read_environment()))
