"""As much of PromQL as it takes to see what an expression is about."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.deploy.exposed import Exposed

OF_THE_SCRAPE = {"instance", "job"}
"""Labels that Prometheus adds to everything it fetches."""

_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")
_WORD = re.compile(r"[A-Za-z_]\w*(?!\w)(?!\s*\()")
_KEYWORDS = {"and", "or", "unless", "by", "on"}


class Selector(NamedTuple):
    """The name of a series, and what its labels must be."""

    name: str
    matchers: list[tuple[str, str, str]]
    """Label, operator, value."""


def selectors(expression: str) -> list[Selector]:
    """All that an expression selects."""
    bare = _GROUPED.sub(lambda match: " " * len(match[0]), re.sub(r"#.*", "", expression))
    # Strings may hold words, and a range such as [5m] does: neither is a name.
    blank = re.sub(r"\{[^}]*\}|\[[^\]]*\]", lambda match: " " * len(match[0]), bare)
    found = []
    for word in _WORD.finditer(blank):
        if word[0] not in _KEYWORDS:
            braces = re.match(r"\{([^}]*)\}", bare[word.end() :])
            found.append(Selector(word[0], _MATCHER.findall(braces[1]) if braces else []))
    return found


def groups(expression: str) -> Iterator[tuple[set[str], str]]:
    """What aggregations keep, and of what: `sum by (a) (b)` keeps a of b."""
    for match in re.finditer(r"\bby \(([^)]*)\)\s*\(", expression):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(expression[end], 0)
            end += 1
        yield {each.strip() for each in match[1].split(",")}, expression[match.end() : end - 1]


def faults(expression: str, metrics: dict[str, Exposed]) -> list[str]:
    """What an expression names that is not there."""
    by_sample = {sample: each for each in metrics.values() for sample in each.samples}
    by_sample["up"] = Exposed("gauge", {}, {"up"})
    said = []
    for selector in selectors(expression):
        metric = by_sample.get(selector.name)
        if metric is None:
            said.append(f"there is no {selector.name}")
            continue
        for label, operator, value in selector.matchers:
            if label not in OF_THE_SCRAPE and not _may_be(metric, label, operator, value):
                said.append(f"{selector.name} has no {label} {operator} {value}")
    for kept, operand in groups(expression):
        for selector in selectors(operand):
            there = by_sample.get(selector.name)
            labels = set() if there is None else set(there.labels)
            if selector.name.endswith("_bucket"):
                labels.add("le")
            said += [f"{selector.name} has no {label}" for label in kept - labels - OF_THE_SCRAPE]
    return said


def _may_be(metric: Exposed, label: str, operator: str, value: str) -> bool:
    """Whether a label has, of each alternative of a matcher, some value."""
    values = metric.labels.get(label)
    if values is None or value.startswith("$"):
        return values is not None
    choices = value.split("|") if operator in ("=~", "!~") else [re.escape(value)]
    return all(any(re.fullmatch(each, known) for known in values) for each in choices)
