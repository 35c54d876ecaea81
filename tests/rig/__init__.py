"""The shop as it runs for real, in a network of its own: proxies, TLS, PostgreSQL, a mail server, a browser.

`python -m tests.rig`, as root on Debian; `make thorough` runs it. docs/rig.md says what it shows.
"""
