"""What the shop costs, measured beside a yardstick in the same run: `python -m bench`."""
