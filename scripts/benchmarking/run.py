"""Measures cases: a worker each, repeats interleaved among those that are compared."""

import contextlib
import dataclasses
import tempfile
import time
from pathlib import Path

from benchmarking import machine
from benchmarking.cases import PLAIN, comparable
from benchmarking.measurement import Measurement, Report
from benchmarking.process import Worker, WorkerFailed
from keras_cvae.progress import Progress

FIRST_STEPS = 2  # repeats of the first step, each of which takes a process of its own
PAUSE = 0.3  # seconds before each repeat: by then the other processes' threads sleep
_HEADROOM = 1.5  # of the largest process so far, which the next one may need
_RESERVE_MB = 1024
_IDLE = 0.1  # share of a processor that a waiting process may use


def run_benchmark(cases, loop, repeats=5, first_steps=FIRST_STEPS, on_measured=lambda m: None):
    """Measures cases beside the plain loop.

    Args:
        cases: list of `Case`.
        loop: path of the plain loop's file.
        repeats: int, of each case.
        first_steps: int, repeats of the task first_step.
        on_measured: function that gets the list of `Measurement` of each finished group.

    Returns:
        `Report`.

    Raises:
        WorkerFailed: if what all cases share cannot be prepared, as for a frame size that an
            architecture cannot have. A case that fails alone is among the report's failures.
    """
    with tempfile.TemporaryDirectory(prefix="keras_cvae-benchmark-") as folder:
        with Worker("torch") as worker:
            prepared = worker.ask(
                "prepare",
                cases=[dataclasses.asdict(case) for case in cases],
                folder=folder,
                loop=str(loop),
            )
        flops = {(preset, task): count for preset, task, count in prepared["flops"]}
        report = Report([], prepared["peaks"], flops, [], [])
        measure(cases, report, repeats, first_steps, folder, loop, on_measured)
    return report


def measure(
    cases,
    report,
    repeats,
    first_steps=FIRST_STEPS,
    folder=None,
    loop=None,
    on_measured=lambda m: None,
    groups=None,
    worker=Worker,
):
    """Measures group after group of comparable cases into a report; see `run_benchmark`.

    Args:
        folder: folder that `prepare` wrote into; `None` where our models start from weights of
            their own.
        groups: list of lists, the cases in other groups than those of the same task and batch.
        worker: what makes a worker of a backend's name.
    """
    groups = comparable(cases) if groups is None else groups
    fixed = {"folder": folder and str(folder), "loop": loop and str(Path(loop).resolve())}
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

    def __init__(self, report, repeats, fixed, progress, worker):
        self.report = report
        self.repeats = repeats
        self.fixed = fixed
        self.progress = progress
        self.worker = worker
        self.measurements = {}
        self.idle = {}

    def first_steps(self, cases):
        """A process for each repeat of each case, one at a time."""
        failed = set()
        for _ in range(self.repeats):
            for case in cases:
                if case not in failed:
                    try:
                        with self.worker(case.backend) as worker:
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

    def interleaved(self, cases):
        """All cases alive at once where memory allows, else in turns, each beside the plain loop.

        As many processes are started as memory has room for, at least one beside the plain loop's.
        """
        plain = [case for case in cases if case.implementation == PLAIN]
        pending = [case for case in cases if case.implementation != PLAIN]
        turn = 0
        while pending or turn == 0:
            if turn > 0:
                self.progress.total += len(plain) * (1 + self.repeats)
            turn += 1
            with contextlib.ExitStack() as stack:
                alive = {}
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

    def note_busy_waiting(self):
        """Says which processes were not idle while others were measured."""
        for case, share in self.idle.items():
            self.report.notes.append(
                f"{case.name}: the process used {share:.0%} of a core while others were measured"
            )

    def _enter(self, stack, alive, case):
        worker = stack.enter_context(self.worker(case.backend))
        try:
            self._start(worker, case)
        except WorkerFailed as error:
            worker.close()
            self._fail(case, error)
            self.progress.update(self.repeats)
        else:
            alive[case] = worker
        self.progress.update()

    def _rounds(self, alive):
        begun = {case: len(self.measurements[case].repeats) for case in alive}
        for number in range(self.repeats):
            # Begins with another one each time, so that nobody always follows the same neighbour.
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

    def _start(self, worker, case):
        reply = worker.ask(
            "start", case=dataclasses.asdict(case), pieces=self.repeats, **self.fixed
        )
        self.measurements.setdefault(case, Measurement(case)).note_reply(reply)

    def _repeat(self, worker, case):
        time.sleep(PAUSE)
        reply = worker.ask("repeat")
        measurement = self.measurements[case]
        measurement.repeats.append({key: reply[key] for key in ("seconds", "frames", "steps")})
        measurement.note_reply(reply)
        idle = reply.get("idle_cpu") or 0
        if idle > max(_IDLE, self.idle.get(case, 0)):
            self.idle[case] = idle

    def _fail(self, case, error):
        self.measurements.pop(case, None)
        if (case.name, str(error)) not in self.report.failures:
            self.report.failures.append((case.name, str(error)))

    def _room(self, alive):
        available = machine.available_mb()
        peaks = [self.measurements[case].peak_mb or 0 for case in alive]
        return available is None or available > _HEADROOM * max(peaks) + _RESERVE_MB
