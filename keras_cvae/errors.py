"""What the package's errors share."""


def first_line(error):
    """The first line of an exception's message, or its kind where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def check_at_least_1(**values):
    """Raises a `ValueError` that names them all if one of the values is below 1 (`None` is not)."""
    if any(value is not None and value < 1 for value in values.values()):
        got = ", ".join(f"{name}={value}" for name, value in values.items())
        raise ValueError(f"{' and '.join(values)} must be at least 1; got {got}.")
