"""Who of several people is meant, and the same person from frame to frame."""

from collections.abc import Sequence

import numpy as np

from keras_cvae.errors import UserError

RULES = ("largest", "left", "right")
_COUNTS = 0.5  # people of at least this share of the largest one's size count
_SAME = 0.5  # of a person's size: a step by more is another person


def check_rule(rule: str | int | None) -> str | int | None:
    """Checks who is meant.

    Args:
        rule: `"largest"`, `"left"`, `"right"`, a number (from 1, from the left), or `None`: not
            said.

    Returns:
        The rule; a number as an int.

    Raises:
        UserError: if it is something else.
    """
    if rule is None or rule in RULES:
        return rule
    text = str(rule)
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 100:
        raise UserError(
            f"The person must be {', '.join(RULES)}, or a number from 1, counted from the left; "
            f"got {rule!r}."
        )
    return int(text)


def pick(
    centres: Sequence[np.ndarray],
    sizes: Sequence[float],
    rule: str | int | None = None,
    last: np.ndarray | None = None,
) -> int | None:
    """Picks one of the people of a frame.

    Who was seen last is found again: the nearest one, if it is near. Otherwise the rule picks among
    those that are not much smaller than the largest one.

    Args:
        centres: (2,) each, where the people are, in pixels.
        sizes: how large each of them is, in pixels.
        rule: see `check_rule`; `None` is `"largest"`.
        last: (2,) where the person was last, or `None`.

    Returns:
        The index, or `None` if the person is not there.
    """
    if not len(sizes):
        return None
    places, extents = np.asarray(centres, np.float64), np.asarray(sizes, np.float64)
    if last is not None:
        distances = np.hypot(*(places - last).T)
        nearest = int(np.argmin(distances))
        if distances[nearest] <= _SAME * extents[nearest]:
            return nearest
    counted = np.flatnonzero(extents >= _COUNTS * extents.max())
    from_left = counted[np.argsort(places[counted, 0], kind="stable")]
    if isinstance(rule, int):
        return int(from_left[rule - 1]) if rule <= len(from_left) else None
    if rule in ("left", "right"):
        return int(from_left[0 if rule == "left" else -1])
    return int(np.argmax(extents))


def are_several(sizes: Sequence[float]) -> bool:
    """Whether a frame has a second person of at least half of the largest one's size."""
    return sum(size >= _COUNTS * max(sizes, default=0) for size in sizes) > 1


class Crowd:
    """Counts the frames with several people, and asks who is meant if there are too many.

    Args:
        name: of the video, in messages.
        rule: see `check_rule`; only `None` asks.
        looks: how many frames are looked at in all, about.
    """

    MOST = 0.1  # share of the frames looked at

    def __init__(self, name: str, rule: str | int | None, looks: int):
        self._name, self._rule, self._looks = name, rule, looks
        self._several = self._looked = 0

    def look(self, sizes: Sequence[float]) -> None:
        """Counts one frame.

        Args:
            sizes: of the people in it.

        Raises:
            UserError: as soon as it is certain that too many frames have several people.
        """
        self._looked += 1
        self._several += are_several(sizes)
        self._check(max(self._looks, self._looked))

    def finish(self) -> None:
        """Checks again, as the video may have been shorter than expected.

        Raises:
            UserError: if too many of the frames looked at have several people.
        """
        self._check(self._looked)

    def _check(self, looks: int) -> None:
        if self._rule is None and self._several > self.MOST * looks:
            raise UserError(
                f"{self._name}: more than one person is there in {self._several} of the first "
                f"{self._looked} frames that were looked at. Say who is meant: person 'largest', "
                "'left', 'right', or a number counted from the left."
            )
