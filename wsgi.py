"""The WSGI entry point: `gunicorn wsgi:app`, `flask …`."""

from giftshop.app import create_app

app = create_app()
