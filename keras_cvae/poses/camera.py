"""Whether the camera of a video moves, by the background."""

import cv2
import numpy as np

_MAX_SIDE = 320  # pixels: enough to see a motion of a hundredth of the image
_CORNERS = 300  # that are followed
_GRID, _FEWEST = 4, 5  # cells a side; cells with corners, of which fewer tell nothing
_AGREE = 0.7  # share of the cells that must move alike
_EXACT = 0.5  # pixels: a corner that is followed forth and back arrives where it was
_AROUND = 0.15  # of the image's longer side: the person's surroundings move too
_PAN, _SHAKE = 0.05, 0.01  # of the diagonal: in all, and from look to look
_SHAKES = 0.25  # share of the looks
_LOST = 0.03  # of the diagonal: after that much motion corners are chosen again


class CameraMotion:
    """Follows corners of the background from look to look, some tenths of a second apart.

    The corners are those of one image as long as the camera does not move, so that errors do not
    add up. The image is divided into cells, and the median of the cells' motions counts, so that
    people who walk by do not. A background without corners, such as a white wall, tells nothing and
    counts as at rest.

    Args:
        frame_size: `(height, width)` of the images.
    """

    def __init__(self, frame_size: tuple[int, int]):
        self._scale = min(1.0, _MAX_SIDE / max(frame_size))
        height, width = (max(1, round(side * self._scale)) for side in frame_size)
        self._size = height, width
        self._diagonal = float(np.hypot(height, width))
        self._key: tuple[np.ndarray, np.ndarray] | None = None  # an image and its corners
        self._base = np.zeros(2)  # where the camera was then, as a share of the diagonal
        self._place = np.zeros(2)  # where it is
        self._farthest = 0.0
        self._looks = self._shakes = 0

    def look(self, image: np.ndarray, joints: np.ndarray | None) -> None:
        """Compares an image with an earlier one.

        Args:
            image: (H, W, 3) uint8 RGB.
            joints: (19, 2) of the person, whose surroundings are left out, in pixels; or `None`.
        """
        small = cv2.resize(image, self._size[::-1], interpolation=cv2.INTER_AREA)
        gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        free = self._free(joints)
        step = None if self._key is None else self._step(gray, free)
        if step is not None:
            place = self._base + step
            self._looks += 1
            self._shakes += float(np.hypot(*(place - self._place))) > _SHAKE
            self._place = place
            self._farthest = max(self._farthest, float(np.hypot(*place)))
        if self._key is None or step is None or float(np.hypot(*step)) > _LOST:
            corners = cv2.goodFeaturesToTrack(gray, _CORNERS, 0.02, 5, mask=free)
            self._base = self._place
            self._key = None if corners is None else (gray, corners)

    def _free(self, joints: np.ndarray | None) -> np.ndarray:
        """A mask: 0 around the person, elsewhere 255."""
        mask = np.full(self._size, 255, np.uint8)
        if joints is not None and not np.isnan(joints).all():
            around = _AROUND * max(self._size)
            low = np.nanmin(joints, axis=0) * self._scale - around
            high = np.nanmax(joints, axis=0) * self._scale + around
            left, top, right, bottom = (max(0, round(value)) for value in (*low, *high))
            mask[top:bottom, left:right] = 0
        return mask

    def _step(self, gray: np.ndarray, free: np.ndarray) -> np.ndarray | None:
        """The motion since the image with the corners, as a share of the diagonal."""
        assert self._key is not None
        before, corners = self._key
        moved, forth, _ = cv2.calcOpticalFlowPyrLK(before, gray, corners, None)
        back, returned, _ = cv2.calcOpticalFlowPyrLK(gray, before, moved, None)
        start, end = corners[:, 0], moved[:, 0]
        kept = (forth & returned).ravel() == 1
        kept &= np.hypot(*(back[:, 0] - start).T) < _EXACT
        limit = np.array(self._size[::-1]) - 1
        row, column = np.clip(end.round(), 0, limit).astype(int).T[::-1]
        kept &= free[row, column] > 0
        cells = (start * _GRID // np.array(self._size[::-1])).astype(int) @ [1, _GRID]
        steps = [
            np.median((end - start)[kept & (cells == cell)], axis=0)
            for cell in np.unique(cells[kept])
        ]
        if len(steps) < _FEWEST:
            return None
        step = np.median(steps, axis=0)
        apart = np.hypot(*(np.array(steps) - step).T) / self._diagonal
        return step / self._diagonal if np.mean(apart < _SHAKE) >= _AGREE else None

    @property
    def moves(self) -> bool:
        """Whether the camera pans by more than 5 % of the image's diagonal, or often jerks."""
        return self._farthest > _PAN or self._shakes > _SHAKES * max(self._looks, 4)

    @property
    def farthest(self) -> float:
        """How far the camera was from where it began, as a share of the image's diagonal."""
        return self._farthest
