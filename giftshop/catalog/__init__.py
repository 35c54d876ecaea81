"""What is on offer: the practice, its offers, its terms and the law they must respect."""
