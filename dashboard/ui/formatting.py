"""Write values as text. Pure."""

THIN_SPACE = "\u2009"


def format_count(count: int) -> str:
    """Write a whole number with thin spaces between its thousands.

    >>> format_count(1284).replace(THIN_SPACE, " ")
    '1 284'
    """
    return f"{count:,}".replace(",", THIN_SPACE)
