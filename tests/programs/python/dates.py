"""Dates, time zones, calendars and intervals."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def easter(year: int) -> date:
    """The anonymous Gregorian computus."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


leap = date(2024, 2, 29)
print(leap.strftime("%A, %d %B %Y, week %V, day %j"), leap.isocalendar(), leap.toordinal())
print(leap + timedelta(days=366), (date(2025, 1, 1) - leap).days, calendar.isleap(2100))
print([str(easter(year)) for year in (2000, 2024, 2025, 2038)])

berlin, york, kiritimati = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Pacific/Kiritimati"),
)
meeting = datetime(2024, 3, 15, 9, 30, tzinfo=york)
for zone in (berlin, kiritimati, ZoneInfo("Asia/Kolkata")):
    print(zone.key, meeting.astimezone(zone).isoformat())
night = datetime(2024, 3, 31, 1, 30, tzinfo=berlin)
later = (night.astimezone(UTC) + timedelta(hours=1)).astimezone(berlin)
print(night.isoformat(), later.isoformat(), later.dst())
twice = [datetime(2024, 10, 27, 2, 30, fold=fold, tzinfo=berlin).utcoffset() for fold in (0, 1)]
print(*twice)

print(datetime.fromisoformat("2024-02-29T12:00:00.5Z").timestamp(), datetime.fromtimestamp(0, UTC))
print(datetime.strptime("29/Feb/2024:23:59:59 +0530", "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC))
print(calendar.month(2024, 2), end="")
fridays = [d for d in (date(2024, m, 13) for m in range(1, 13)) if d.weekday() == calendar.FRIDAY]
print("Friday 13th:", *fridays)
print(
    timedelta(days=-1, hours=5),
    timedelta(hours=25) // timedelta(minutes=7),
    time(23, 59).isoformat(),
)
try:
    date(2023, 2, 29)
except ValueError as error:
    print("ValueError:", str(error).partition(" ")[0])
