"""What is made of a checkout for others: distributions, and what they are made of."""
