"""Pages for the counter: find, scan, redeem, undo."""
