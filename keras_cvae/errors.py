"""Errors of other libraries in ours."""


def first_line(error):
    """The first line of an exception's message, or its kind where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
