import unittest

from bill import split, with_tip


class SplitTest(unittest.TestCase):
    def test_even(self):
        self.assertEqual(split(900, 3), [300, 300, 300])

    def test_no_cent_is_lost(self):
        self.assertEqual(sum(split(1000, 3)), 1000)

    def test_shares_differ_by_at_most_one_cent(self):
        shares = split(1001, 4)
        self.assertLessEqual(max(shares) - min(shares), 1)


class TipTest(unittest.TestCase):
    def test_rounds_to_the_nearest_cent(self):
        self.assertEqual(with_tip(1050, 15), 1208)


if __name__ == "__main__":
    unittest.main()
