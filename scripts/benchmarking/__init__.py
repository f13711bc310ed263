"""Speed and memory of the models beside a plain PyTorch loop; `scripts/benchmark.py` runs it.

The parent process imports no backend. Each configuration is measured in a process of its own
(`worker`), asked for one repeat at a time (`process`, `run`), so that repeats of what is compared
are interleaved and nothing else computes meanwhile.
"""
