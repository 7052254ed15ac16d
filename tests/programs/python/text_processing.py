"""Count, wrap, align and compare text from stdin."""

import difflib
import string
import sys
import textwrap
import unicodedata
from collections import Counter

text = sys.stdin.read()
words = [word.strip(string.punctuation + "“”\u2019").casefold() for word in text.split()]
words = [word for word in words if word]
print(len(text), "characters,", len(words), "words,", len(set(words)), "different")
for word, count in Counter(words).most_common(5):
    print(f"{word:>8} {'*' * count}")
print("longest:", sorted({w for w in words if len(w) > 8}, key=lambda w: (-len(w), w)))
print("starts:", {c: sum(w.startswith(c) for w in words) for c in "aeiou"})

print(textwrap.fill(" ".join(text.split()), 56, initial_indent="| ", subsequent_indent="| "))

before = text.splitlines()[:4]
after = [line.replace("the", "a") for line in before if not line.startswith("Than")]
print("\n".join(difflib.unified_diff(before, after, "before", "after", lineterm="", n=0)))
print(difflib.get_close_matches("temprate", sorted(set(words))))

folded = unicodedata.normalize("NFKD", "Crème brûlée, Ångström, ﬁne")
print("".join(c for c in folded if not unicodedata.combining(c)))
print("ß".upper(), "İ".lower().encode(), "ǅ".title(), unicodedata.name("🐍"))
print(
    "caesar:",
    "Hello, World!".translate(
        str.maketrans(
            string.ascii_letters,
            string.ascii_lowercase[13:]
            + string.ascii_lowercase[:13]
            + string.ascii_uppercase[13:]
            + string.ascii_uppercase[:13],
        )
    ),
)
print(f"{'left':<10}|{'middle':^10}|{'right':>10}|{1234567.891:>15,.2f}|{255:#010b}|{0.1234:.1%}")
