"""The simulated Stripe: its API over HTTP, its payment page, its objects and its webhooks."""
