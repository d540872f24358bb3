"""Tips."""


def with_tip(total_cents, percent):
    """Adds a tip, rounded to the nearest cent."""
    if percent < 0:
        raise ValueError("a tip is not negative")
    return total_cents + (total_cents * percent + 50) // 100
