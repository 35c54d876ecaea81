"""What happens at the door that the practice is told of: signals, for notifications/watch.py stands above."""

from blinker import Signal

locked_out = Signal()
"""Too many wrong tries for a person: no more are looked at for a while (`staff_id`, `name`)."""
signed_in_anew = Signal()
"""A person signed in where they never did before (`staff_id`, `name`, `device` as the browser calls itself)."""
