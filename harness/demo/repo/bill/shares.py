"""Who pays how much."""


def split(total_cents, ways):
    """Splits a total into shares that differ by at most one cent."""
    if ways < 1:
        raise ValueError("a bill is split between at least one person")
    share = total_cents // ways
    return [share] * ways


def owed(shares, paid):
    """What each person still owes: the share minus what was paid already."""
    return [share - amount for share, amount in zip(shares, paid, strict=True)]
