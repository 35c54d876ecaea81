"""How it is paid: placing an order, limits, Stripe's payment page, and fulfilment."""
