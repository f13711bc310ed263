"""Progress with the time left, on anything that takes more than a moment."""

import sys
import time

_SILENT = 2.0  # seconds before the first word: what is done by then says nothing
_TERMINAL_EVERY = 0.2  # seconds between rewrites of the line on a terminal
_LOG_EVERY = 10.0  # seconds between lines in a file or pipe


class Progress:
    """Says on stderr how far a known number of steps has come, and when it will be done.

    On a terminal one line is rewritten; elsewhere a line comes about every ten seconds. Nothing
    is said about what takes less than two seconds. Call it from one thread.

    Args:
        total: number of steps.
        label: what is being done, the beginning of the line.

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
        """Counts `n` more steps as done.

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
        """Says how long it took, if that was long enough to be worth a word."""
        took = time.monotonic() - self._started
        if took >= _SILENT:
            self._say(f"took {duration(took)}", end="\n")

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def _say(self, time_text: str, end: str) -> None:
        share = self.done / self.total if self.total else 1.0
        line = f"{self.label}: {self.done}/{self.total} ({share:.0%}), {time_text}"
        if self._terminal:
            line = f"\r{line}\x1b[K"  # clears what a longer line left behind
        print(line, end=end, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds as people say them: `"3 min 5 s"`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
