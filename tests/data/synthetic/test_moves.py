import numpy as np
import pytest

from keras_cvae.data.synthetic.choreography import Deck, Planner
from keras_cvae.data.synthetic.moves import ARM_PATTERNS, LEG_MOVES, arm_phrases


@pytest.mark.parametrize("move", sorted(set(LEG_MOVES), key=lambda move: move.__name__))
@pytest.mark.parametrize("direction", [-1, 1])
def test_every_move_takes_time_and_ends_on_both_feet_facing_the_camera(move, direction):
    plan = Planner(np.random.default_rng(1), reach=0.7)
    move(plan, direction)
    assert np.all(np.diff(plan.times) > 0)
    assert 2 <= (plan.times[-1] - plan.times[0]) / plan.beat <= 10
    assert plan.yaw % 360 == 0
    home = plan.at_both()
    for name, value in home.items():
        last = plan._feet[name]
        assert last == pytest.approx(value, abs=0.1 if name.endswith(("_x", "_z")) else 30)
        if name.endswith("lift"):
            assert last == 0


@pytest.mark.parametrize("beats", [2.0, 3.25, 8.0])
def test_arm_phrases_fill_the_time(beats):
    rng = np.random.default_rng(0)
    names = Deck(rng, list(ARM_PATTERNS))
    for _ in range(30):
        for phrase in arm_phrases(rng, names.draw, beats):
            assert sum(length for length, _ in phrase) == pytest.approx(beats)
            assert min(length for length, _ in phrase) >= 1
