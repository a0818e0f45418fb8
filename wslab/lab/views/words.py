"""Numbers and bytes, written for reading: on one line, escaped, and no longer than a reader wants.

Everything that arrives on the wire and is shown as text goes through `quoted`, `plain` or `hexed`: no control
character and no line break gets through, and what is left out is counted.
"""

__all__ = ["count", "hexed", "plain", "quoted"]


def count(number: int, noun: str = "byte") -> str:
    """Write a number with its noun.

    >>> count(1), count(11)
    ('1 byte', '11 bytes')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def hexed(data: bytes, limit: int = 16) -> str:
    """Write bytes as hexadecimal pairs; say how many are left out beyond the limit.

    >>> hexed(b"Hello"), hexed(bytes(20), limit=2)
    ('48 65 6c 6c 6f', '00 00 … (18 bytes left out)')
    """
    if len(data) <= limit:
        return data.hex(" ")
    return f"{data[:limit].hex(' ')} … ({count(len(data) - limit)} left out)"


def quoted(data: bytes, limit: int = 60) -> str:
    r"""Write UTF-8 as a quoted text on one line; what cannot be shown is escaped, what is too long left out.

    >>> quoted(b"caf\xc3\xa9 \xff\n"), quoted(b"x" * 70, limit=3)
    ('"café \\xff\\n"', '"xxx" … (67 bytes left out)')
    """
    shown, rest = _printable(data, limit, "utf-8")
    return f'"{shown}" … ({count(rest)} left out)' if rest else f'"{shown}"'


def plain(data: bytes, limit: int = 200) -> str:
    r"""Write bytes of an HTTP head, which are Latin-1, without quotes.

    >>> plain(b"caf\xe9"), plain(b"GET /aaaa", limit=5)
    ('café', 'GET / … (4 bytes left out)')
    """
    shown, rest = _printable(data, limit, "latin-1")
    return f"{shown} … ({count(rest)} left out)" if rest else shown


def _printable(data: bytes, limit: int, encoding: str) -> tuple[str, int]:
    """Return the text of the first bytes with escapes, and the number of bytes that are left out."""
    part = data[:limit]
    while len(part) < len(data) and len(part) > limit - 3 and data[len(part)] & 0b1100_0000 == 0b1000_0000:
        part = part[:-1]  # do not cut a character of UTF-8 in two
    text = part.decode(encoding, "backslashreplace")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown, len(data) - len(part)
