"""The yardstick for pages: a Flask application with one page that says hello, served as the shop is."""

from flask import Flask

app = Flask(__name__)
app.add_url_rule("/", view_func=lambda: "Hello")
