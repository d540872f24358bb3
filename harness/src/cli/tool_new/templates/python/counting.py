"""What a text consists of. It knows nothing of WebAssembly, so `python3 -m unittest` runs it."""

import re
from dataclasses import dataclass

WORD = re.compile(r"[^ \t\n\f\r]+")


class NoWords(Exception):
    """No word is long enough."""


@dataclass
class Counts:
    lines: int
    words: int
    characters: int
    longest: str


def count_words(text: str, min_length: int) -> Counts:
    """Counts a text; words of fewer than `min_length` characters are passed over."""
    words = [word for word in WORD.findall(text) if len(word) >= min_length]
    if not words:
        raise NoWords(f"the text has no word of {min_length} or more characters")
    lines = text.count("\n") + (not text.endswith("\n"))
    return Counts(lines, len(words), len(text), max(words, key=len))
