"""Durations as handlers give them."""

import datetime

LONGEST = 1e9
FORMS = "a number of seconds, a timedelta, a datetime or a date"


def seconds(wish):
    """The seconds that wish says to wait. Raises ValueError for what is no duration.

    A datetime or date is waited for; one without a time zone is in UTC, as in results. One that has passed means at
    once.
    """
    if isinstance(wish, datetime.date):
        return min(max(0.0, (_moment(wish) - _now()).total_seconds()), LONGEST)
    number = wish.total_seconds() if isinstance(wish, datetime.timedelta) else _number(wish)
    if number is None or not number >= 0 or number == float("inf"):
        raise ValueError(f"{_shown(wish)} is no duration: give {FORMS}")
    return min(number, LONGEST)


def _number(wish):
    if isinstance(wish, (bool, bytes, bytearray)):
        return None
    try:
        return wish if type(wish) is int else float(wish)
    except (TypeError, ValueError, OverflowError):
        return None


def _moment(wish):
    if not isinstance(wish, datetime.datetime):
        wish = datetime.datetime(wish.year, wish.month, wish.day)
    return wish if wish.tzinfo else wish.replace(tzinfo=datetime.timezone.utc)


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _shown(wish):
    try:
        return repr(wish)[:100]
    except Exception:
        return f"a {type(wish).__name__}"
