"""A little language: tokens, a parser, a tree, an interpreter. Programs come on stdin."""

from __future__ import annotations

import operator
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(\*\*|//|[-+*/%()=,!<>]))")
BINARY: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "<": (1, operator.lt),
    ">": (1, operator.gt),
    "+": (2, operator.add),
    "-": (2, operator.sub),
    "*": (3, operator.mul),
    "/": (3, operator.truediv),
    "//": (3, operator.floordiv),
    "%": (3, operator.mod),
    "**": (5, operator.pow),
}
FUNCTIONS: dict[str, Callable[..., float]] = {"max": max, "min": min, "abs": abs, "round": round}


class Mistake(Exception):
    pass


@dataclass
class Parser:
    tokens: list[str]
    names: dict[str, float]
    position: int = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Mistake(f"expected {wanted or 'more'}, found {token or 'the end'}")
        self.position += 1
        return token

    def expression(self, least: int = 1) -> float:
        value = self.unary()
        while (entry := BINARY.get(self.peek())) and entry[0] >= least:
            power = self.take() == "**"
            value = entry[1](value, self.expression(entry[0] + (not power)))
        return value

    def unary(self) -> float:
        if self.peek() == "-":
            self.take()
            return -self.expression(4)
        return self.atom()

    def atom(self) -> float:
        token = self.take()
        if token == "(":
            value = self.expression()
            self.take(")")
            return value
        if token[0].isdigit():
            return float(token) if "." in token else int(token)
        if self.peek() == "(":
            return FUNCTIONS[token](*self.arguments())
        if token not in self.names:
            raise Mistake(f"unknown name {token}")
        return self.names[token]

    def arguments(self) -> list[float]:
        values = []
        self.take("(")
        while self.peek() != ")":
            values.append(self.expression())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return values


def tokens(line: str) -> list[str]:
    found, end = [], 0
    while line[end:].strip():
        match = TOKEN.match(line, end)
        if match is None:
            raise Mistake(f"cannot read {line[end:].strip()!r}")
        found.append(match[match.lastindex or 0])
        end = match.end()
    return found


names: dict[str, float] = {"pi": 3.14159}
for line in sys.stdin:
    try:
        words = tokens(line)
        target = words[0] if len(words) > 1 and words[1] == "=" else ""
        parser = Parser(words[2:] if target else words, names)
        value = parser.expression()
        if parser.peek():
            raise Mistake(f"did not expect {parser.peek()}")
        if target:
            names[target] = value
        print(f"{line.strip()}  ->  {value}")
    except (Mistake, ZeroDivisionError, KeyError) as error:
        print(f"{line.strip()}  !!  {error}")
print(names)
