"""Unit tests of which one fails, as a grader would run them."""

# ruff: noqa: PT009 (unittest is what is shown)

import io
import sys
import unittest


def roman(number: int) -> str:
    text = ""
    for value, letters in [(10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]:
        while number >= value:
            text, number = text + letters, number - value
    return text


class RomanTest(unittest.TestCase):
    def test_small(self) -> None:
        for number, text in enumerate(["I", "II", "III", "IV", "V", "VI"], 1):
            with self.subTest(number):
                self.assertEqual(roman(number), text)

    def test_nothing(self) -> None:
        self.assertEqual(roman(0), "")

    def test_large(self) -> None:
        self.assertEqual(roman(50), "L")

    @unittest.skip("not yet")
    def test_negative(self) -> None:
        roman(-1)


suite = unittest.defaultTestLoader.loadTestsFromTestCase(RomanTest)
result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
print(f"{result.testsRun} run, {len(result.failures)} failed, {len(result.skipped)} skipped")
print(result.failures[0][1].strip().splitlines()[-3])
sys.exit(not result.wasSuccessful())
