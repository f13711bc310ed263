"""How cases are measured: interleaved, in turns where memory is short, past failures."""

import dataclasses

import pytest
from benchmark_checks import LOOP, FakeWorkers, case, plain_case
from benchmarking import run
from benchmarking.measurement import Report

PLAIN = plain_case()
OURS = [case(), case(precision="mixed_bfloat16"), case(preset="multiscale")]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(run, "PAUSE", 0)
    monkeypatch.setattr(run.machine, "available_mb", lambda: None)


def measure(cases, workers, repeats=3, **other):
    report = Report()
    run.measure(cases, report, repeats, worker=workers, **other)
    return report, {m.case: m for m in report.measurements}


def test_repeats_are_interleaved():
    workers = FakeWorkers({PLAIN: 2.0})
    report, found = measure([OURS[0], PLAIN, OURS[1]], workers)
    assert [call for call, _ in workers.asked] == ["start"] * 3 + ["repeat"] * 9
    assert workers.asked[0] == ("start", PLAIN)
    for begin in (3, 6, 9):  # each once per round
        assert {asked for _, asked in workers.asked[begin : begin + 3]} == set(found)
    assert len({workers.asked[begin][1] for begin in (3, 6, 9)}) == 3, (
        "each round starts with another"
    )
    assert found[OURS[0]].rates == [6.0] * 3 and found[OURS[0]].plain_rates == [3.0] * 3
    assert found[OURS[0]].peak_mb == 104.0 and found[OURS[0]].step_mb == 10.0
    assert workers.alive == 0 and not report.failures and not report.notes


def test_turns_where_memory_is_short(monkeypatch):
    monkeypatch.setattr(run.machine, "available_mb", lambda: 10.0)
    workers = FakeWorkers()
    report, found = measure([PLAIN, *OURS], workers)
    assert workers.most_alive == 2, "the plain loop and one more"
    assert len(found[PLAIN].repeats) == 9
    for ours in OURS:
        assert len(found[ours].repeats) == len(found[ours].plain_rates) == 3
    (note,) = report.notes
    assert "3 turns" in note


def test_turns_where_the_memory_of_the_gpu_is_short(monkeypatch):
    monkeypatch.setattr(run.machine, "gpu_free_mb", lambda: 3000.0)
    on_gpu = [dataclasses.replace(of, device="gpu") for of in (PLAIN, *OURS)]
    workers = FakeWorkers()
    report, found = measure(on_gpu, workers)
    assert workers.most_alive == 2 and len(found) == 4
    assert set(workers.started) == {("torch", "gpu")}
    monkeypatch.setattr(run.machine, "gpu_free_mb", lambda: None)
    workers = FakeWorkers()
    measure(on_gpu, workers)
    assert workers.most_alive == 4, "it is not known"


def test_the_peak_is_that_of_the_device_and_operations_are_counted_on_the_cpu():
    of, workers = case(device="gpu"), FakeWorkers()
    report = run.run_benchmark([of], LOOP, repeats=1, worker=workers)
    assert [call for call, _ in workers.asked] == ["prepare", "peaks", "start", "repeat"]
    assert workers.started == [("torch", "cpu"), ("torch", "gpu"), ("torch", "gpu")]
    assert report.peaks == {"float32": 1e12} and not report.failures


def test_each_first_step_has_a_process_of_its_own():
    plain, ours = plain_case("first_step"), case("first_step")
    workers = FakeWorkers({ours: 3.0})
    report, found = measure([plain, ours], workers, first_steps=2)
    assert [asked for asked in workers.asked if asked[0] == "start"] == [
        ("start", plain),
        ("start", ours),
    ] * 2
    assert workers.most_alive == 1
    assert found[ours].plain_rates == [6.0, 6.0] and found[ours].rates == [2.0, 2.0]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_failure_leaves_the_others(at):
    workers = FakeWorkers(failing={OURS[0]: at})
    report, found = measure([PLAIN, *OURS], workers)
    assert report.failures == [(OURS[0].name, "it broke")]
    assert set(found) == {PLAIN, *OURS[1:]} and len(found[OURS[1]].repeats) == 3
    assert workers.alive == 0


def test_without_the_plain_loop_there_is_no_ratio():
    report, found = measure([PLAIN, OURS[0]], FakeWorkers(failing={PLAIN: 1}))
    assert found[OURS[0]].plain_rates is None
    assert [name for name, _ in report.failures] == [PLAIN.name]


def test_loaders_alone_need_no_preparation():
    workers, loader = FakeWorkers(), case("loader")
    report = run.run_benchmark([loader], LOOP, repeats=1, worker=workers)
    assert workers.asked == [("start", loader), ("repeat", loader)]
    assert [m.case for m in report.measurements] == [loader] and not report.peaks


def test_a_process_that_is_not_idle_is_reported():
    report, _ = measure([PLAIN], FakeWorkers(idle=0.5))
    (note,) = report.notes
    assert "used 50% of a core while others were measured" in note
