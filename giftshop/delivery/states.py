"""The states of a delivery as data: which may follow which."""

from enum import StrEnum, auto


class DeliveryState(StrEnum):
    """Whether a message waits for its time, is going out now, is out, or will not go out any more."""

    SCHEDULED = auto()
    SENDING = auto()
    SENT = auto()
    FAILED = auto()
    CANCELLED = auto()


MOVES = {
    DeliveryState.SCHEDULED: {DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.CANCELLED},
    DeliveryState.SENDING: {
        DeliveryState.SCHEDULED,
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.CANCELLED,
    },
    DeliveryState.SENT: set[DeliveryState](),
    DeliveryState.FAILED: set[DeliveryState](),
    DeliveryState.CANCELLED: set[DeliveryState](),
}
"""What has ended stays so: to send it again is another message.

A server's late "accepted" counts while a message waits for its next try.
"""
WAITING = (DeliveryState.SCHEDULED, DeliveryState.SENDING)
OUT = (DeliveryState.SENT, DeliveryState.SENDING)
"""Gone, or going out at this moment with what it was made of before."""
