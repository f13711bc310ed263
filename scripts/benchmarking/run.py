"""Measures cases: a worker each; the repeats of cases that are compared are interleaved."""

import contextlib
import dataclasses
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarking import machine
from benchmarking.cases import COUNTED, PLAIN, Case, comparable
from benchmarking.measurement import Measurement, Report
from benchmarking.process import Worker, WorkerFailed
from keras_cvae.progress import Progress

OnMeasured = Callable[[list[Measurement]], None]

FIRST_STEPS = 2  # repeats of the first step, each in a process of its own
PAUSE = 0.3  # seconds before each repeat: by then the other processes' threads sleep
_HEADROOM = 1.5  # of the largest process so far, which the next one may need
_RESERVE_MB = 1024
_RESERVE_GPU_MB = 3072  # of which about one is the driver's, which no process counts
_IDLE = 0.1  # the share of a processor that a waiting process may use


def run_benchmark(
    cases: Sequence[Case],
    loop: str | os.PathLike,
    repeats: int = 5,
    first_steps: int = FIRST_STEPS,
    on_measured: OnMeasured = lambda _: None,
    worker: Callable[[str, str], Worker] = Worker,
) -> Report:
    """Measures cases, each group of them together with the plain loop.

    Args:
        cases: what to measure.
        loop: path of the plain loop's file.
        repeats: of each case.
        first_steps: repeats of the task first_step.
        on_measured: gets the list of `Measurement` of each finished group.
        worker: makes a worker from the names of a backend and a device.

    Returns:
        `Report`.

    Raises:
        WorkerFailed: if what cases share cannot be prepared; it is a `UserError` for a frame size
            that an architecture cannot have. A single case that fails is among the report's
            failures instead.
    """
    report = Report()
    with tempfile.TemporaryDirectory(prefix="keras_cvae-benchmark-") as folder:
        if any(case.task != "loader" for case in cases):  # loaders have no weights and no peak
            asked = [dataclasses.asdict(case) for case in cases]
            with worker("torch", "cpu") as process:
                flops = process.ask("prepare", cases=asked, folder=folder, loop=str(loop))["flops"]
            report.flops = {(preset, task): count for preset, task, count in flops}
            if precisions := {c.precision: None for c in cases if c.task in COUNTED}:
                device = cases[0].device
                with worker("torch", device) as process:
                    asked_for = {"precisions": list(precisions), "device": device}
                    report.peaks = process.ask("peaks", **asked_for)["peaks"]
        measure(cases, report, repeats, first_steps, folder, loop, on_measured, worker=worker)
    return report


def measure(
    cases: Sequence[Case],
    report: Report,
    repeats: int,
    first_steps: int = FIRST_STEPS,
    folder: str | None = None,
    loop: str | os.PathLike | None = None,
    on_measured: OnMeasured = lambda _: None,
    groups: Sequence[Sequence[Case]] | None = None,
    worker: Callable[[str, str], Worker] = Worker,
) -> None:
    """Measures group after group of comparable cases into a report; see `run_benchmark`.

    Args:
        cases, repeats, first_steps, loop, on_measured, worker: as for `run_benchmark`.
        report: gets the measurements, failures and notes.
        folder: the folder that `prepare` wrote into; `None` where our models start from their
            initial weights.
        groups: the cases in other groups than those of the same task and batch, or `None`.
    """
    groups = comparable(cases) if groups is None else groups
    fixed = {"folder": folder, "loop": str(Path(loop).resolve()) if loop else None}
    counts = [first_steps if group[0].task == "first_step" else repeats for group in groups]
    total = sum(len(group) * (1 + n) for group, n in zip(groups, counts, strict=True))
    with Progress(total, "benchmark") as progress:
        for group, count in zip(groups, counts, strict=True):
            measured = _Group(report, count, fixed, progress, worker)
            if group[0].task == "first_step":
                measured.first_steps(group)
            else:
                measured.interleaved(group)
            measured.note_busy_waiting()
            finished = [m for m in measured.measurements.values() if m.repeats]
            report.measurements.extend(finished)
            on_measured(finished)


class _Group:
    """The measurement of one group of cases."""

    def __init__(
        self,
        report: Report,
        repeats: int,
        fixed: dict,
        progress: Progress,
        worker: Callable[[str, str], Worker],
    ):
        self.report = report
        self.repeats = repeats
        self.fixed = fixed
        self.progress = progress
        self.worker = worker
        self.measurements: dict[Case, Measurement] = {}
        self.idle: dict[Case, float] = {}

    def first_steps(self, cases: Sequence[Case]) -> None:
        """A process for each repeat of each case, one at a time."""
        failed: set[Case] = set()
        for _ in range(self.repeats):
            for case in cases:
                if case not in failed:
                    try:
                        with self.worker(case.backend, case.device) as worker:
                            self._start(worker, case)
                            self._repeat(worker, case)
                    except WorkerFailed as error:
                        self._fail(case, error)
                        failed.add(case)
                self.progress.update()
        self.progress.update(len(cases))
        plain = [m for m in self.measurements.values() if m.case.implementation == PLAIN]
        for measurement in self.measurements.values():
            measurement.plain_rates = plain[0].rates if plain else None

    def interleaved(self, cases: Sequence[Case]) -> None:
        """All cases at once where memory allows, else in turns, each turn with the plain loop.

        A turn has as many processes as memory has room for, at least the plain loop's and one more.
        """
        plain = [case for case in cases if case.implementation == PLAIN]
        pending = [case for case in cases if case.implementation != PLAIN]
        turn = 0
        while pending or turn == 0:
            if turn > 0:
                self.progress.total += len(plain) * (1 + self.repeats)
            turn += 1
            with contextlib.ExitStack() as stack:
                alive: dict[Case, Worker] = {}
                for case in plain:
                    self._enter(stack, alive, case)
                before = len(alive)
                while pending and (len(alive) == before or self._room(alive)):
                    self._enter(stack, alive, pending.pop(0))
                self._rounds(alive)
        if turn > 1:
            task, batch = cases[0].task, cases[0].batch
            self.report.notes.append(
                f"{task}, batch {batch}: memory had no room for all processes; measured in {turn} "
                "turns, ratios to the plain loop in the same turn"
            )

    def note_busy_waiting(self) -> None:
        """Notes the processes that were not idle while others were measured."""
        for case, share in self.idle.items():
            self.report.notes.append(
                f"{case.name}: the process used {share:.0%} of a core while others were measured"
            )

    def _enter(self, stack: contextlib.ExitStack, alive: dict[Case, Worker], case: Case) -> None:
        worker = stack.enter_context(self.worker(case.backend, case.device))
        try:
            self._start(worker, case)
        except WorkerFailed as error:
            worker.close()
            self._fail(case, error)
            self.progress.update(self.repeats)
        else:
            alive[case] = worker
        self.progress.update()

    def _rounds(self, alive: dict[Case, Worker]) -> None:
        begun = {case: len(self.measurements[case].repeats) for case in alive}
        for number in range(self.repeats):
            # Each round starts with another case, so that none always follows the same one.
            order = list(alive)
            shift = number % max(len(order), 1)
            for case in order[shift:] + order[:shift]:
                try:
                    self._repeat(alive[case], case)
                except WorkerFailed as error:
                    alive.pop(case).close()
                    self._fail(case, error)
                    self.progress.update(self.repeats - number - 1)
                self.progress.update()
        rates = None
        for case in alive:
            if case.implementation == PLAIN:
                rates = self.measurements[case].rates[begun[case] :]
        for case in alive:
            # The plain loop's own ratio is 1, over all its turns.
            measurement = self.measurements[case]
            measurement.plain_rates = measurement.rates if case.implementation == PLAIN else rates

    def _start(self, worker: Worker, case: Case) -> None:
        reply = worker.ask(
            "start", case=dataclasses.asdict(case), pieces=self.repeats, **self.fixed
        )
        self.measurements.setdefault(case, Measurement(case)).note_reply(reply)

    def _repeat(self, worker: Worker, case: Case) -> None:
        time.sleep(PAUSE)
        reply = worker.ask("repeat")
        measurement = self.measurements[case]
        measurement.repeats.append({key: reply[key] for key in ("seconds", "frames", "steps")})
        measurement.note_reply(reply)
        idle = reply.get("idle_cpu") or 0
        if idle > max(_IDLE, self.idle.get(case, 0)):
            self.idle[case] = idle

    def _fail(self, case: Case, error: WorkerFailed) -> None:
        self.measurements.pop(case, None)
        if (case.name, str(error)) not in self.report.failures:
            self.report.failures.append((case.name, str(error)))

    def _room(self, alive: dict[Case, Worker]) -> bool:
        """Whether the largest process so far would have room once more, on the GPU too."""
        found = [self.measurements[case] for case in alive]
        available = machine.available_mb()
        needed = _HEADROOM * max(m.host_mb or 0 for m in found) + _RESERVE_MB
        room = available is None or available > needed
        if next(iter(alive)).device == "gpu":
            free = machine.gpu_free_mb()
            needed = _HEADROOM * max(m.peak_mb or 0 for m in found) + _RESERVE_GPU_MB
            room &= free is None or free > needed
        return room
