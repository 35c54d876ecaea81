"""The workbench: a simulated Stripe and a captured mailbox, an app of its own for development and tests.

It speaks to the shop over HTTP only, as Stripe and a mail server do, and imports nothing of it.
"""
