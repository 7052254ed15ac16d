"""Take a web server's log apart with regular expressions."""

import re
import sys
from collections import Counter

LINE = re.compile(
    r"""
    ^(?P<host>\d{1,3}(?:\.\d{1,3}){3})\s
    \S+\s\S+\s
    \[(?P<day>\d{2})/(?P<month>\w{3})/(?P<year>\d{4}):(?P<clock>[\d:]+)\s[+-]\d{4}\]\s
    "(?P<method>[A-Z]+)\s(?P<path>[^"?\s]+)(?:\?(?P<query>\S*))?\sHTTP/[\d.]+"\s
    (?P<status>\d{3})\s(?P<size>\d+|-)$
    """,
    re.VERBOSE,
)

hosts, statuses, size = Counter[str](), Counter[str](), 0
for number, line in enumerate(sys.stdin, 1):
    match = LINE.match(line)
    if match is None:
        print(f"line {number} is no log line: {line.strip()[:20]!r}")
        continue
    hosts[match["host"]] += 1
    statuses[match["status"][0] + "xx"] += 1
    size += 0 if match["size"] == "-" else int(match["size"])
    if match["query"]:
        pairs = re.findall(r"([^=&]+)=([^&]*)", match["query"])
        print(match["method"], match["path"], dict(pairs))

print(hosts.most_common())
print(sorted(statuses.items()), size)

TEXT = "Call 030-123 4567 or +49 (89) 7654321 before 2024-02-29, not after 29.02.2024."
print(re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", TEXT))
print(re.sub(r"\d+", lambda found: "#" * len(found[0]), TEXT))
print(re.split(r"\W+(?=\b[a-z])", "one, two;three -  four"))
print(re.findall(r"(?<=\()\d+(?=\))|\b\w+(?=\.$)", TEXT))
print(bool(re.fullmatch(r"(?i:straße)", "STRASSE")), re.findall(r"\b\w*ß\w*\b", "Straße Gruß Tor"))
