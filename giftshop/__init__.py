"""giftshop: the gift certificate shop a massage practice runs for itself."""
