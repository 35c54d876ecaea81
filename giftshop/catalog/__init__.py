"""What is on offer: the practice, its offers, prices, terms, and the law they must respect."""
