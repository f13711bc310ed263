"""The measurements of a worker, real but tiny, in this process and in others. On torch."""

import json
import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
from benchmark_checks import LOOP, TINY, Here, Pool, case, plain_case
from benchmarking import inputs, worker
from benchmarking.cases import make_cases
from benchmarking.process import WorkerFailed, WorkerUserError
from benchmarking.results import make_rows
from benchmarking.run import run_benchmark

pytest.importorskip("torch")
peak, plain = (pytest.importorskip(f"benchmarking.{name}") for name in ("peak", "plain"))
pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND", "torch") != "torch", reason="counts operations on torch"
)
WIDTHS = TINY["widths"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Tiny products gain nothing from more, and are slower where other tests share the cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # of the processes
        yield
    torch.set_num_threads(before)


def as_sent(of):
    return json.loads(json.dumps(of.__dict__))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with tiny weights, and the counts."""
    folder = tmp_path_factory.mktemp("prepared")
    tasks = ("train_free", "train_forced", "rollout")
    cases = make_cases(tasks, backends=("torch",), rollout_frames=9, **TINY)
    reply = worker.Calls().prepare([as_sent(c) for c in cases], str(folder), str(LOOP))
    return folder, reply


def test_prepare(prepared):
    folder, reply = prepared
    assert sorted(path.name for path in folder.iterdir()) == ["lab.weights.h5", "plain.ckpt"]
    flops = {(preset, task): count for preset, task, count in reply["flops"]}
    assert len(flops) == 6 and all(count > 1e4 for count in flops.values())
    for preset in ("lab", "multiscale"):
        assert flops[preset, "train_free"] > 2 * flops[preset, "rollout"]


def test_fused_convolutions_are_counted(monkeypatch, tmp_path):
    """As those are that PyTorch's counter knows."""
    from benchmarking.prepare import flops_per_frame

    from keras_cvae.backend import recorded_step

    of = case("rollout", preset="multiscale", widths=WIDTHS)
    counted = flops_per_frame(of, tmp_path, LOOP)
    monkeypatch.setattr(recorded_step, "fuse_convolutions", lambda graph: None)
    assert counted == flops_per_frame(of, tmp_path, LOOP) > 1e4


def start(of, folder, pieces=2):
    calls = worker.Calls()
    return calls, calls.start(as_sent(of), str(folder), str(LOOP), pieces)


@pytest.mark.parametrize("task", ["train_free", "train_forced"])
def test_plain_and_ours_train_on_the_same(prepared, monkeypatch, task):
    monkeypatch.setattr(worker, "_SHORTEST", 0.01)
    losses = []
    for of in (plain_case(task, widths=WIDTHS), case(task, widths=WIDTHS)):
        calls, started = start(of, prepared[0])
        reply = calls.repeat()
        assert reply["frames"] == 6 * reply["steps"] and reply["seconds"] > 0
        losses.append(started["loss"])
    # The norm's statistics alone differ: over a frame there, over a clip here.
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_a_rollout_continues_from_its_last_frame(prepared):
    for of in (plain_case, case):
        calls, _ = start(of("rollout", widths=WIDTHS, clip_length=8), prepared[0])
        before = np.asarray(calls.subject.frame).copy()
        assert calls.repeat()["frames"] == 2 * 4
        assert np.abs(np.asarray(calls.subject.frame) - before).max() > 0


@pytest.mark.slow
def test_an_exported_model_is_compared_with_the_plain_loop(monkeypatch):
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    monkeypatch.setattr("benchmarking.run.PAUSE", 0)
    monkeypatch.setitem(peak.SIDES, "cpu", 256)
    sizes = {**TINY, "rollout_frames": 40, "exports": ["onnx"]}
    cases = make_cases(["rollout"], ["lab"], ["torch"], [], **sizes)[:2]
    assert [case.implementation for case in cases] == ["plain", "onnx"]
    report = run_benchmark(cases, LOOP, repeats=2, worker=Here)
    assert not report.failures
    plain, onnx = make_rows(report.measurements, report.flops, report.peaks)
    assert onnx["ratio"] > 0 and plain["ratio"] == 1


def test_a_first_step_is_not_warmed_up(prepared, monkeypatch):
    calls, started = start(case("first_step", widths=WIDTHS), prepared[0])
    assert started == {} and calls.subject.loss is None
    reply = calls.repeat()
    assert reply["steps"] == 1 and math.isfinite(reply["loss"])


def test_loader(monkeypatch):
    monkeypatch.setattr(worker, "_SHORTEST", 0.01)
    calls, _ = start(case("loader", preset="multiscale", clip_length=16), "")
    reply = calls.repeat()
    assert reply["frames"] == 2 * 15 * reply["steps"]


def test_memory_of_a_long_prediction():
    of = case("rollout", preset="multiscale", batch=1, clip_length=22, widths=WIDTHS)
    readings = worker.Calls().stream(as_sent(of), 10)["readings"]
    assert [number for number, _ in readings] == [1, 10, 20]


@pytest.mark.parametrize("precision", ["float32", "tf32", "mixed_bfloat16"])
def test_a_case_on_a_gpu(prepared, monkeypatch, precision):
    """Its precision is set, its memory is the GPU's, and times end when the GPU has computed."""
    happened = []
    fake = SimpleNamespace(
        synchronize=lambda backend: happened.append("wait"),
        restart_peak=lambda backend: happened.append("restart"),
        memory_mb=lambda backend: (100.0, 100.0 + 50 * ("wait" in happened)),
    )
    monkeypatch.setattr(worker, "gpu", fake)
    monkeypatch.setattr(worker, "allow_tf32", lambda *given: happened.append(given))
    monkeypatch.setattr(worker, "_SHORTEST", 0.001)
    monkeypatch.setitem(plain.DEVICES, "gpu", "cpu")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for made in (plain_case, case):
        happened.clear()
        of = made(widths=WIDTHS, device="gpu", precision=precision)
        calls, started = start(of, prepared[0])
        assert happened[:2] == [("torch", precision != "float32"), "restart"]
        assert math.isfinite(started["loss"])
        before = happened.count("wait")
        assert calls.repeat()["seconds"] > 0 and happened.count("wait") == before + 2
        memory = calls.memory()
        assert (memory["peak_mb"], memory["step_mb"]) == (150.0, 50.0)
        assert memory["host_mb"] != 150.0
        if made is case:
            assert calls.subject.model.dtype_policy.name == precision.replace("tf32", "float32")


def test_peaks(monkeypatch):
    monkeypatch.setitem(peak.SIDES, "cpu", 64)
    found = worker.Calls().peaks(["float32", "mixed_bfloat16"], "cpu")["peaks"]
    assert list(found) == ["float32", "mixed_bfloat16"]
    assert all(rate > 1e6 for rate in found.values())


def test_peaks_of_a_gpu_are_medians_in_the_right_precision(monkeypatch):
    allowed, clock = [], iter(range(1000))
    monkeypatch.setattr(peak, "allow_tf32", lambda backend, on: allowed.append(on))
    monkeypatch.setattr(peak.torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(peak.time, "perf_counter", lambda: next(clock) ** 2)
    monkeypatch.setitem(plain.DEVICES, "gpu", "cpu")
    monkeypatch.setitem(peak.SIDES, "gpu", 32)
    monkeypatch.setattr(peak, "_LONGEST", 1e9)
    found = peak.peaks(["float32"], "gpu")
    assert allowed == [False]
    assert found["float32"] == 2 * 32**3 / 21, "of 1, 5, 9, ... 41 s"
    peak.peaks(["tf32", "mixed_bfloat16"], "gpu")
    assert allowed == [False, True, True]


def test_a_loss_that_is_no_number_is_an_error():
    class Broken:
        loss = math.nan

        def step(self):
            return 1

    calls = worker.Calls()
    calls.subject = Broken()
    with pytest.raises(ValueError, match="the loss is nan"):
        calls.repeat()


def test_pieces_cover_the_video():
    poses = np.arange(11)[None]  # ten frames to predict
    pieces = inputs.Pieces(poses, 3)
    starts = [pieces.next()[0] for _ in range(4)]
    assert [(piece[0], piece[-1]) for piece in starts] == [(0, 4), (4, 8), (6, 10), (0, 4)]
    assert inputs.Pieces(poses, 100).length == 1


# --- processes ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool():
    pool = Pool()
    yield pool
    pool.end()


@pytest.mark.slow
def test_the_whole_way_in_processes(pool, monkeypatch):
    monkeypatch.setattr("benchmarking.run.PAUSE", 0)
    cases = make_cases(["train_free"], ["lab"], ["torch"], ["float32"], **TINY)
    finished = []
    report = run_benchmark(cases, LOOP, repeats=2, on_measured=finished.append, worker=pool)
    assert not report.failures and pool.started == 2
    assert set(report.peaks) == {"float32"}, "of the measured precisions alone"
    plain, ours = make_rows(report.measurements, report.flops, report.peaks)
    assert (plain["implementation"], ours["implementation"]) == ("plain", "ours")
    assert plain["ratio"] == 1 and ours["ratio"] > 0 and ours["repeats"] == 2
    assert 0 < ours["flops_share"] < 1
    assert ours["peak_memory_mb"] > ours["step_memory_mb"] > 0
    assert [len(measurements) for measurements in finished] == [2]


def test_a_worker_says_why_it_failed(pool):
    with pool("torch") as process:
        with pytest.raises(WorkerFailed, match="AttributeError: .*nonsense") as failed:
            process.ask("nonsense")
        assert "Traceback" in failed.value.__notes__[0]
        with pytest.raises(WorkerUserError, match="^MultiscaleArchitecture .* multiples of 8"):
            of = case("loader", preset="multiscale", height=12)
            process.ask("stream", case=as_sent(of), every=1)
        process._process.kill()
        with pytest.raises(WorkerUserError, match="killed, probably because memory ran out"):
            process.ask("repeat")
    assert process._requests.closed, "what is dead does not go back into the pool"
