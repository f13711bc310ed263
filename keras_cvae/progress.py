"""Progress and the time left, on stderr."""

import sys
import time

_SILENT = 2.0  # seconds before the first line: shorter work prints nothing
_TERMINAL_EVERY = 0.2  # seconds between rewrites of the line on a terminal
_LOG_EVERY = 10.0  # seconds between lines in a file or pipe


class Progress:
    """Prints how many of a known number of steps are done, and the time left.

    On a terminal one line is rewritten. Elsewhere a new line is printed about every ten seconds.
    Work of less than two seconds prints nothing. Use it from one thread.

    Args:
        total: number of steps.
        label: the beginning of the line, such as `"reading images"`.

    Example:
        >>> with Progress(len(paths), "reading images") as progress:
        ...     for path in paths:
        ...         read(path)
        ...         progress.update()
    """

    def __init__(self, total: int, label: str):
        self.total = total
        self.label = label
        self.done = 0
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._next = self._started + (_SILENT if self._terminal else _LOG_EVERY)

    def update(self, n: int = 1) -> None:
        """Counts more steps as done.

        Args:
            n: number of steps since the last call.
        """
        self.done += n
        now = time.monotonic()
        if now >= self._next and self.done < self.total:
            left = (now - self._started) * (self.total - self.done) / max(self.done, 1)
            self._say(f"{duration(left)} left", end="" if self._terminal else "\n")
            self._next = now + (_TERMINAL_EVERY if self._terminal else _LOG_EVERY)

    def close(self) -> None:
        """Prints the time that all steps took, if it is at least two seconds."""
        took = time.monotonic() - self._started
        if took >= _SILENT:
            self._say(f"took {duration(took)}", end="\n")

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _say(self, time_text: str, end: str) -> None:
        share = self.done / self.total if self.total else 1.0
        line = f"{self.label}: {self.done}/{self.total} ({share:.0%}), {time_text}"
        if self._terminal:
            line = f"\r{line}\x1b[K"  # clears the rest of a longer line
        print(line, end=end, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds as readable text, such as `"3 min 5 s"`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
