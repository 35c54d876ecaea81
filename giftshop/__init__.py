"""giftshop: the gift certificate shop a massage practice runs for itself."""

import giftshop.clock  # noqa: F401  # whatever process this is: by the newest time zone rules before any zone is opened
