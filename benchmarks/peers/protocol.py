"""The line protocol of every contestant.

A contestant sets itself up, compiles, warms up, says `{"ready": true, "versions": {...}, "threads": n, ...}`, and then sleeps
on its standard input. For each line `block N` it does about N units of work and answers `{"count": n, "seconds": s}`. It ends
with its input. Standard output holds these lines alone: whatever else prints there goes to standard error.
"""

import argparse
import json
import os
import sys
import time
from importlib.metadata import version

# before any library can write there
_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def arguments(description: str, **defaults) -> argparse.Namespace:
    """Options of a contestant, `--name value`, each with its default; `threads` is common to all."""
    parser = argparse.ArgumentParser(description=description)
    for name, default in {"threads": 1, **defaults}.items():
        kind = str if default is None else type(default)
        parser.add_argument(f"--{name}", type=kind, default=default)
    return parser.parse_args()


def limit_threads(threads: int, device: str = "cpu") -> None:
    """Gives this process `threads` cores, every pool of threads that size, and no GPU unless asked for `cuda`. To be called before
    the libraries load."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    # a library that finds a GPU takes it unasked
    os.environ.update({"JAX_PLATFORMS": "cuda"} if device == "cuda" else {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"})


def cores() -> int:
    """Cores this process may use: the size of the thread pools of libraries that do not tell theirs."""
    return len(os.sched_getaffinity(0))


def fastest(candidates: dict, units: int, rounds: int = 8):
    """Which of some ways to do a contestant's work is the fastest here: each a function of a number of units, all warm. They are tried
    by turns, so that while a machine is slow all are, and the best try of each counts."""
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):
        for name, work in candidates.items():
            started = time.perf_counter()
            work(units)
            best[name] = min(best[name], time.perf_counter() - started)
    return min(best, key=best.__getitem__)


def serve(work, packages, threads: int, **facts) -> None:
    """Answers blocks until the input ends.

    work: a function of a number of units, which does at least as many and returns how many.
    packages: distributions whose versions are told.
    threads: what the libraries themselves say they use.
    facts: whatever else a reader of the record should know.
    """
    versions = {"python": sys.version.split()[0], **{name: version(name) for name in packages}}
    _say({"ready": True, "versions": versions, "threads": threads, **facts})
    for line in sys.stdin:
        word, count = line.split()
        if word != "block":
            raise ValueError(f"expected `block N`, got {line!r}")
        started = time.perf_counter()
        done = work(int(count))
        _say({"count": done, "seconds": time.perf_counter() - started})


def _say(answer: dict) -> None:
    print(json.dumps(answer), file=_answers, flush=True)
