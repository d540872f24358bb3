"""Splitting bills to the cent."""

from bill.shares import split
from bill.tip import with_tip

__all__ = ["split", "with_tip"]
