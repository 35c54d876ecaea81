"""How it is paid: orders and gifts, Checkout, fulfilment, reconciliation."""
