"""The pages of an order for its buyer: what became of it, what may be changed, its receipt."""
