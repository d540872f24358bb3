import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from counting import Counts, NoWords, count_words


class CountWords(unittest.TestCase):
    def test_a_text_is_counted(self):
        self.assertEqual(count_words("ein größte\nWort", 1), Counts(2, 3, 15, "größte"))

    def test_short_words_are_passed_over(self):
        self.assertEqual(count_words("a bb ccc dd\n", 2).words, 3)
        for text, min_length in [("a bb", 3), (" \n", 1)]:
            with self.assertRaises(NoWords):
                count_words(text, min_length)


if __name__ == "__main__":
    unittest.main()
