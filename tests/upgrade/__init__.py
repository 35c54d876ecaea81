"""A rehearsal of an upgrade: what an older version has written is opened by this one, and both work side by side."""
