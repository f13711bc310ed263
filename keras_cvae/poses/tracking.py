"""One person followed through a video, by the pose estimator or by keypoints of another tool."""

from typing import Protocol

import numpy as np

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.errors import UserError
from keras_cvae.poses.blazepose import BlazePose, Region
from keras_cvae.poses.keypoints import Keypoints
from keras_cvae.poses.people import Crowd, check_rule, pick
from keras_cvae.poses.person import Person


class Tracker(Protocol):
    """What finds one person in the frames of a video, in their order."""

    def find(self, image: np.ndarray, source: int, look: bool) -> Person | None:
        """Finds the person in the next frame.

        Args:
            image: (H, W, 3) uint8 RGB.
            source: the number of the frame in the video file.
            look: whether all people are counted in this frame.

        Returns:
            The person, or `None`.
        """
        ...


class EstimatedPerson:
    """A person that the pose estimator finds and follows.

    Args:
        estimator: `BlazePose`.
        rule: who is meant, see `people.check_rule`.
        crowd: counts the people.
    """

    def __init__(self, estimator: BlazePose, rule: str | int | None, crowd: Crowd):
        self._estimator, self._rule, self._crowd = estimator, check_rule(rule), crowd
        self._region: Region | None = None
        self._last: np.ndarray | None = None

    def find(self, image: np.ndarray, source: int, look: bool) -> Person | None:
        """See `Tracker.find`."""
        people = self._estimator.detect(image) if look or self._region is None else []
        if look:
            self._crowd.look([each.size for each in people])
        found = self._estimator.landmarks(image, self._region) if self._region else None
        if found is None:
            # Lost, or not found yet: begin with who the detector sees.
            if self._region is not None and not look:
                people = self._estimator.detect(image)
            chosen = pick(
                [each.centre for each in people],
                [each.size for each in people],
                self._rule,
                self._last,
            )
            found = None if chosen is None else self._estimator.landmarks(image, people[chosen])
        if found is None:
            self._region = None
            return None
        person, self._region = found
        self._last = self._region.centre
        return person


class KeypointPerson:
    """A person followed through the keypoints of another tool.

    Args:
        keypoints: of all people in all frames.
        rule: who is meant, see `people.check_rule`.
        crowd: counts the people.
    """

    def __init__(self, keypoints: Keypoints, rule: str | int | None, crowd: Crowd):
        self._keypoints, self._rule, self._crowd = keypoints, check_rule(rule), crowd
        self._last: np.ndarray | None = None

    def find(self, image: np.ndarray | None, source: int, look: bool) -> Person | None:
        """See `Tracker.find`; the image is not needed."""
        if source >= len(self._keypoints.people):
            return None
        people = [each for each in self._keypoints.people[source] if each.scores.any()]
        sizes = [_extent(each) for each in people]
        if look:
            self._crowd.look(sizes)
        chosen = pick([each.place for each in people], sizes, self._rule, self._last)
        if chosen is None:
            return None
        self._last = people[chosen].place
        return people[chosen]


def follow_keypoints(
    keypoints: Keypoints, name: str, person: str | int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Follows one person through the keypoints of a file.

    Args:
        keypoints: of the file.
        name: of the file, in messages.
        person: who is meant, see `people.check_rule`.

    Returns:
        Joints (T, 19, 2) in pixels, NaN where the person is not there, and scores (T, 19).

    Raises:
        UserError: if several people are there and it is not said who is meant.
    """
    count = len(keypoints.people)
    joints, scores = np.full((count, len(JOINTS), 2), np.nan), np.zeros((count, len(JOINTS)))
    crowd = Crowd(name, person, count)
    tracker = KeypointPerson(keypoints, person, crowd)
    for number in range(count):
        if (found := tracker.find(None, number, look=True)) is not None:
            joints[number], scores[number] = found
    crowd.finish()
    return joints, scores


def fitted_to(keypoints: Keypoints, frames: int, name: str, video: str) -> Keypoints:
    """The keypoints of the frames of a video, checked by the number of frames.

    Args:
        keypoints: of a file.
        frames: of the video file.
        name: of the keypoint file.
        video: of the video.

    Returns:
        The keypoints. Of a file that lists people alone, whose numbers go beyond the video, frames
        with nobody at the beginning are left out: the first image had a higher number.

    Raises:
        UserError: if the numbers of frames differ by more than two frames and 1 %.
    """
    people = keypoints.people
    excess = len(people) - frames
    if not keypoints.lists_all and excess > 0 and not any(people[:excess]):
        print(f"{name}: its frame {excess} is taken as the first of {video}", flush=True)
        return keypoints._replace(people=people[excess:])
    tolerance = max(2, 0.01 * frames)
    if excess > tolerance or (keypoints.lists_all and -excess > tolerance):
        raise UserError(
            f"{name} has keypoints of {len(people)} frames, but {video} has {frames}. Give the "
            "keypoints of this video, one entry for each of its frames."
        )
    return keypoints


def _extent(person: Person) -> float:
    """The diagonal of the box around the joints that were found, in pixels."""
    found = person.joints[~np.isnan(person.joints).any(axis=1)]
    return float(np.hypot(*(found.max(axis=0) - found.min(axis=0))))
