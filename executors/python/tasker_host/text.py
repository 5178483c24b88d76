"""Makes any text valid Unicode of bounded size, without U+0000 and secrets."""

from tasker_host import secrets


def clip(value, max_bytes):
    try:
        data = secrets.redact(str(value).replace("\0", "\ufffd")).encode("utf-8", "replace")
    except Exception:
        return f"(unprintable {type(value).__name__})"
    if len(data) <= max_bytes:
        return data.decode()
    return f"{data[: max_bytes - 32].decode('utf-8', 'ignore')}... ({len(data)} bytes)"
