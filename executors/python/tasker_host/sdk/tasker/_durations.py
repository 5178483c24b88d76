"""Durations as handlers give them."""

import datetime
import re

LONGEST = 1e9
FORMS = "a number of seconds, a timedelta, a datetime, a date or the text of a Retry-After header"

# The three forms of a date of HTTP: RFC 1123, RFC 850 and asctime.
_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}"
)


def seconds(value):
    """The seconds to wait. Raises ValueError if value is no duration.

    A datetime or date is waited for; one without a time zone is in UTC, as in results. One that has passed means at
    once.
    """
    value = _http_date(value) or value
    if isinstance(value, datetime.date):
        return min(max(0.0, (_moment(value) - _now()).total_seconds()), LONGEST)
    number = value.total_seconds() if isinstance(value, datetime.timedelta) else _number(value)
    if number is None or not number >= 0 or number == float("inf"):
        raise ValueError(f"{_shown(value)} is no duration: give {FORMS}")
    return min(number, LONGEST)


def _http_date(value):
    if not isinstance(value, str) or not _HTTP_DATE.fullmatch(value.strip()):
        return None
    from email.utils import parsedate_tz  # rarely needed

    try:
        return datetime.datetime(*parsedate_tz(value)[:6])
    except (TypeError, ValueError):  # no such month or day
        return None


def _number(value):
    if isinstance(value, (bool, bytes, bytearray)):
        return None
    try:
        return value if type(value) is int else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _moment(value):
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    return value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _shown(value):
    try:
        return repr(value)[:100]
    except Exception:
        return f"a {type(value).__name__}"
