def apply(price: float, count: int) -> float:
    return price * 0.8 if count >= 10 else price
