"""Speed and memory of the models and of a plain PyTorch loop; `scripts/benchmark.py` runs it.

The parent process imports no backend. Each configuration is measured in a process of its own
(`worker`), which is asked for one repeat at a time (`process`, `run`): repeats of what is compared
are interleaved, and nothing else computes at the same time.
"""
