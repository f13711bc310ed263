"""Prints how far the package is from the golden values, by quantity and backend.

    python tests/golden_deviations.py

Predictions, mu, logvar and MSE: the largest absolute difference; KL, ELBO and gradient norms: the
largest relative one; over all golden files, teacher forcing on and off.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from checks import call, installed_backends, relative
from test_golden import ABSOLUTE, FOLDERS, MODULES, RELATIVE, compute_golden


def deviations(results):
    """dict quantity -> the largest deviation of one backend's results."""
    largest = dict.fromkeys([*ABSOLUTE, "prior_pred", *RELATIVE], 0.0)

    def note(name, value):
        largest[name] = max(largest[name], float(value))

    for size, folder in FOLDERS.items():
        if not (folder / f"{size}_golden.npz").exists():
            print(f"left out, not there: {folder}/{size}_golden.npz", file=sys.stderr)
            continue
        golden = np.load(folder / f"{size}_golden.npz")
        for key in ("eval_tf0", "eval_tf1"):
            for name in (*ABSOLUTE, "kl", "elbo"):
                ours, theirs = results[f"{size}_{key}_{name}"], golden[f"{key}_{name}"]
                absolute = name in ABSOLUTE
                note(name, np.abs(ours - theirs).max() if absolute else relative(ours, theirs))
            for module in MODULES:
                name = f"{key}_gradnorm_{module}"
                note("gradnorm", relative(results[f"{size}_{name}"], golden[name]))
        note("prior_pred", np.abs(results[f"{size}_prior_pred"] - golden["prior_pred"]).max())
    return largest


def main():
    with tempfile.TemporaryDirectory() as folder:
        columns = {}
        for backend in installed_backends():
            results = {}
            for size, place in FOLDERS.items():
                if (place / f"{size}.ckpt").exists():
                    file = Path(folder) / f"{backend}-{size}.npz"
                    call(compute_golden, backend, size, file, backend=backend, timeout=1200)
                    results |= dict(np.load(file))
            columns[backend] = deviations(results)
    print("| quantity | " + " | ".join(columns) + " | tolerance |")
    print("|---" * (len(columns) + 2) + "|")
    for name in next(iter(columns.values())):
        tolerance = {**ABSOLUTE, **RELATIVE, "prior_pred": 1e-4}[name]
        kind = "relative" if name in RELATIVE else "absolute"
        values = " | ".join(f"{column[name]:.1e}" for column in columns.values())
        print(f"| {name}, {kind} | {values} | {tolerance:.0e} |")


if __name__ == "__main__":
    main()
