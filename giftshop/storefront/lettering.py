"""How large a name stands on a certificate: one rule for every page that shows one, and for the preview's script."""

LONG_NAME, LONG_WORD = 24, 12
"""Up to so many letters a name, and each word of it, stands in the usual size."""


def is_long_name(name: str) -> bool:
    """Tell whether a name stands one step smaller, so that nothing of it is cut off."""
    return len(name) > LONG_NAME or any(len(word) > LONG_WORD for word in name.split())
