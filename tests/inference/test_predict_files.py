import cv2
import keras
import numpy as np
import pytest
from bodies import dance

from keras_cvae import CVAE
from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.errors import UserError
from keras_cvae.inference.predict_files import predict_files

SIZE = (16, 24)
WIDTHS = {"frame_features": 4, "pose_features": 2, "latent_maps": 2, "decoder_features": 8}


def write(path, image):
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])


@pytest.fixture
def files(tmp_path):
    """A saved model, a first frame, twelve poses (so that 10 comes after 9), as paths."""
    keras.utils.set_random_seed(0)
    model = CVAE("multiscale", **WIDTHS, temperature=1.0)
    model.save(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    poses = rng.integers(0, 256, (12, *SIZE, 3), dtype=np.uint8)
    write(tmp_path / "first.png", frame)
    for t, pose in enumerate(poses):
        write(tmp_path / "poses" / f"{t}.png", pose)
    paths = {"model": tmp_path / "model.keras", "first_frame": tmp_path / "first.png"}
    paths |= {"poses": tmp_path / "poses", "out": tmp_path / "frames"}
    return paths, model, frame, poses


def read_frames(folder):
    paths = sorted(folder.iterdir(), key=lambda path: int(path.stem))
    assert [path.name for path in paths] == [f"{t}.png" for t in range(len(paths))]
    return np.stack([cv2.imread(str(path))[..., ::-1] for path in paths])


@pytest.mark.parametrize(("temperature", "seed"), [(None, 0), (0.0, 0), (0.5, 7)])
def test_it_is_predict_video_of_the_files(files, temperature, seed):
    paths, model, frame, poses = files
    predict_files(**paths, temperature=temperature, seed=seed)
    written = read_frames(paths["out"])
    assert len(written) == 12
    np.testing.assert_array_equal(written[0], frame)
    expected = model.predict_video(frame, poses, temperature, seed)
    np.testing.assert_allclose(written, 255 * expected, atol=0.51)


def test_the_seed_and_the_temperature_matter(files):
    paths, *_ = files
    outs = []
    for i, options in enumerate([{}, {"seed": 1}, {"temperature": 0.0}]):
        outs.append(paths["out"].with_name(f"out{i}"))
        predict_files(**{**paths, "out": outs[-1]}, **options)
    a, b, c = map(read_frames, outs)
    assert (a[1:] != b[1:]).any() and (a[1:] != c[1:]).any()


def write_all(paths, size):
    for path in (paths["first_frame"], *paths["poses"].iterdir()):
        write(path, np.zeros((*size, 3), np.uint8))


def test_a_pose_of_another_size_than_the_frame_is_an_error(files):
    paths, *_ = files
    write(paths["poses"] / "7.png", np.zeros((40, 60, 3), np.uint8))
    with pytest.raises(ValueError, match=r"first\.png is 16 x 24, .*7\.png 40 x 60"):
        predict_files(**paths)


def test_a_prediction_that_is_not_finite_is_an_error_and_writes_nothing(files, monkeypatch):
    paths, *_ = files
    nan = lambda self, *args: (np.full((*SIZE, 3), np.nan, "float32") for _ in range(11))  # noqa: E731
    monkeypatch.setattr("keras_cvae.predictor.Predictor.stream", nan)
    with pytest.raises(ValueError, match="frame 1, is not finite"):
        predict_files(**paths)
    assert not paths["out"].exists()


def test_images_of_another_size_are_resized(files):
    paths, *_ = files
    write_all(paths, (40, 60))
    predict_files(**paths, frame_size=SIZE, zoom=3)
    assert read_frames(paths["out"]).shape == (12, 48, 72, 3)


def test_without_a_size_that_of_the_image_is_taken(files):
    paths, *_ = files
    write_all(paths, (24, 32))
    predict_files(**paths)
    assert read_frames(paths["out"]).shape == (12, 24, 32, 3)


def test_zoom_repeats_pixels(files):
    paths, _, frame, _ = files
    predict_files(**paths, zoom=2)
    np.testing.assert_array_equal(
        read_frames(paths["out"])[0], frame.repeat(2, axis=0).repeat(2, axis=1)
    )


def test_smooth_zoom_is_cubic(files):
    paths, _, frame, _ = files
    predict_files(**paths, zoom=2, smooth=True)
    expected = cv2.resize(frame, (2 * SIZE[1], 2 * SIZE[0]), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(read_frames(paths["out"])[0], expected)


def test_side_by_side_shows_the_poses(files):
    paths, *_ = files
    predict_files(**paths, side_by_side=True)
    assert read_frames(paths["out"]).shape[2] >= 2 * SIZE[1]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda p: p["model"].unlink(), "no model at"),
        (lambda p: p["model"].write_bytes(b"zip"), "damaged or cut"),
        (lambda p: p["first_frame"].unlink(), "first.png"),
        (lambda p: p["first_frame"].write_bytes(b"jpg"), "first.png"),
        (lambda p: (p["poses"] / "5.png").unlink(), "no image 5"),
        (lambda p: (p["poses"] / "99999999999.png").write_bytes(b""), "no image"),
        (lambda p: (p["poses"] / "5.png").write_bytes(b""), "5.png"),
        (lambda p: (p["poses"] / "notes.txt").write_text(""), "notes.txt"),
        (lambda p: p.update(poses=p["poses"] / "absent"), "absent"),
        (lambda p: p.update(temperature=-1.0), "temperature"),
        (lambda p: p.update(fps=0), "fps"),
        (lambda p: p.update(zoom=0), "zoom"),
        (lambda p: p.update(seed=-1), "seed|negative"),
        (lambda p: p.update(frame_size=(15, 24)), "multiples of 8"),
        (lambda p: p.update(frame_size=(0, 24)), "frame_size must be"),
        (lambda p: p.update(out=p["out"].with_suffix(".avi")), "ending"),
        (lambda p: p["out"].write_text("mine"), "exists"),
    ],
)
def test_what_will_not_do_is_a_value_error_and_writes_nothing(files, harm, message, tmp_path):
    paths = files[0]
    harm(paths)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=message):
        predict_files(**paths)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bad_output_is_found_before_the_work(files, monkeypatch):
    """A prediction may take minutes; its name can be judged at once."""
    paths = files[0]

    def work(*args, **kwargs):
        pytest.fail("the prediction began")

    monkeypatch.setattr("keras_cvae.inference.predict_files.load_predictor", work)
    with pytest.raises(ValueError, match="ending"):
        predict_files(**{**paths, "out": paths["out"].with_suffix(".avi")})


def test_keypoints_are_drawn_as_poses(files):
    paths, model, frame, _ = files
    joints = dance(6, (32, 48)) / 2  # in pixels of the first frame, 16 x 24
    joints[3] = np.nan  # nobody: a black pose
    poses = np.stack([draw_skeleton(each, SIZE) for each in joints])
    expected = model.predict_video(frame, poses, 0.0, 0)
    for name, arrays in (("a", {}), ("b", {"frame_size": (32, 48)})):
        keypoints = paths["out"].with_name(f"{name}.npz")
        np.savez(keypoints, joints=joints * (2 if arrays else 1), **arrays)
        given = {**paths, "poses": keypoints, "out": paths["out"].with_name(name)}
        with pytest.warns(UserWarning, match="nobody is there in 1 of 6 frames"):
            predict_files(**given, temperature=0.0)
        np.testing.assert_allclose(read_frames(given["out"]), 255 * expected, atol=0.51)


def test_a_person_is_chosen_of_keypoints(files):
    paths, *_ = files
    left = dance(4, (32, 48)) / 4
    keypoints = paths["out"].with_name("two.npz")
    np.savez(keypoints, joints=np.stack([left + [12, 0], left], axis=1))
    given = {**paths, "poses": keypoints}
    with pytest.raises(UserError, match="more than one person"):
        predict_files(**given)
    predict_files(**given, person="left")
    with pytest.raises(UserError, match="of keypoints alone"):
        predict_files(**{**paths, "out": keypoints.with_name("x")}, person="left")
