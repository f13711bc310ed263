"""Which configurations a benchmark is made of."""

from benchmarking.cases import (
    EXPORTS,
    OURS,
    PLAIN,
    PRECISIONS,
    TASKS,
    comparable,
    make_cases,
    quick_cases,
)


def test_every_combination_is_there_once_with_the_plain_loop():
    cases = make_cases(backends=("torch", "tensorflow", "jax"))
    assert len(set(cases)) == len(cases)
    for group in comparable(cases):
        task, plain = group[0].task, [case for case in group if case.implementation == PLAIN]
        assert task in TASKS
        assert len(plain) == (0 if task == "loader" else 1)
        assert group[: len(plain)] == plain, "the plain loop is started first"
        assert len(group) - len(plain) == (6 if task == "loader" else 12)
        for case in plain:
            assert (case.preset, case.backend, case.precision) == ("lab", "torch", "float32")
        assert len({(case.clip_length, case.height, case.width) for case in group}) == 1
    assert [(g[0].task, g[0].batch) for g in comparable(cases)] == [
        ("train_free", 2),
        ("train_forced", 2),
        ("rollout", 1),
        ("rollout", 8),
        ("first_step", 2),
        ("loader", 2),
    ]


def test_a_rollout_of_eight_videos_is_as_much_work_as_one():
    frames = {case.batch: case.clip_length - 1 for case in make_cases(tasks=["rollout"])}
    assert frames == {1: 629, 8: 79}


def test_exports_roll_out_in_float32_on_the_backend_that_writes_them():
    exported = [
        case
        for case in make_cases(backends=["tensorflow"], exports=list(EXPORTS))
        if case.implementation in EXPORTS
    ]
    assert {(c.implementation, c.backend) for c in exported} == set(EXPORTS.items())
    assert {c.task for c in exported} == {"rollout"} and len(exported) == 2 * 2 * 2
    assert {c.precision for c in exported} == {"float32"}
    assert "rollout lab onnx float32 batch 1" in {c.name for c in exported}


def test_quick_cases():
    cases = quick_cases(["torch", "tensorflow", "jax"])
    ours = [case for case in cases if case.implementation == OURS]
    assert {(c.backend, c.precision) for c in ours if c.preset == "lab" and c.batch == 2} == {
        (backend, precision)
        for backend in ("torch", "tensorflow")
        for precision in PRECISIONS["cpu"]
    }
    assert [case.task for case in ours if case.preset == "multiscale"] == ["train_free"]
    rollouts = [case for case in cases if case.task == "rollout"]
    assert sorted(case.implementation for case in rollouts) == [OURS, PLAIN]
    assert all(case.batch == 1 and case.clip_length < 100 for case in rollouts)
    assert len(cases) == 8


def test_cases_of_a_gpu():
    cases = make_cases(["train_free"], ["lab"], precisions=PRECISIONS["gpu"], device="gpu")
    assert {case.device for case in cases} == {"gpu"}
    assert [(c.implementation, c.precision, c.dtype) for c in cases] == [
        (PLAIN, "float32", "float32"),
        (OURS, "float32", "float32"),
        (OURS, "tf32", "float32"),
        (OURS, "mixed_bfloat16", "mixed_bfloat16"),
    ]
    quick = quick_cases(["torch", "tensorflow", "jax"], device="gpu")
    assert {(case.backend, case.device) for case in quick} == {("torch", "gpu")}
    assert len(quick) == 6, "each takes seconds to start"


def test_widths_replace_the_presets():
    (plain, *_) = make_cases(widths=(8, 2, 4, 8))
    assert list(plain.width_arguments().values()) == [8, 2, 4, 8]
    (plain, *_) = make_cases()
    assert list(plain.width_arguments().values()) == [128, 32, 12, 192]
