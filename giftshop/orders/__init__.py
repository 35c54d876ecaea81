"""The records of a sale: orders, gifts, their states, how they are found, and what happened to them."""
