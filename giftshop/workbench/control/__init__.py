"""What makes the simulated Stripe do things: the control API for tests, the dashboard for people."""
