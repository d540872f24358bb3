"""The functions of wit/world.wit, handed to ordinary Python. `sinew tool build` makes the modules of the types."""

from typing import Optional

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.text import Counts

import counting


class Text(exports.Text):
    def count_words(self, text: str, min_length: Optional[int]) -> Counts:
        try:
            counts = counting.count_words(text, 1 if min_length is None else min_length)
        except counting.NoWords as error:
            raise Err(str(error))
        return Counts(counts.lines, counts.words, counts.characters, counts.longest)
