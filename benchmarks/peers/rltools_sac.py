"""SAC of RLtools, environment included. Unit: one environment step with its update.

    python rltools_sac.py [--env HalfCheetah-v5] [--threads 1] [--steps 200] [--blas auto|mkl|openblas]

C++ templates, compiled for this machine and these sizes at the first use (about a minute); the environment is Gymnasium's. Twin
Q, automatic entropy, one update of actor and critics a step on one batch; two hidden layers of 300, batch 128. Its authors
recommend MKL with one thread, which is slow on AMD's processors: MKL and OpenBLAS, with one thread and with `--threads`, are
tried by turns at the start, and the fastest is taken.
"""

from protocol import arguments, fastest, limit_threads, serve

options = arguments(__doc__, env="HalfCheetah-v5", starts=1000, steps=200, blas="auto")
limit_threads(options.threads)

import ctypes  # noqa: E402 (libraries take the number of threads when they load)
import itertools  # noqa: E402

import gymnasium  # noqa: E402
import rltools  # noqa: E402
import rltools.src.training  # noqa: E402
import scipy_openblas32  # noqa: E402

mkl_flags = rltools.src.training.acceleration_flags


def openblas_flags(_module_name):
    """RLtools' flags for OpenBLAS, with the library that PyPI has, whose functions carry a prefix."""
    folder = scipy_openblas32.get_lib_dir()
    renamed = [f"-Dcblas_{kind}gemm=scipy_cblas_{kind}gemm" for kind in "sd"]
    link = [f"-L{folder}", f"-Wl,-rpath,{folder}", f"-l{scipy_openblas32.get_library()}"]
    return [*renamed, *link, "-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS", "-DRL_TOOLS_DISABLE_UNALIGNED_MEMORY_ALLOCATIONS"]


# name: flags of the compiler, the function that sets the number of threads
BLAS = {"mkl": (mkl_flags, "MKL_Set_Num_Threads"), "openblas": (openblas_flags, "scipy_openblas_set_num_threads")}


class Learner:
    """RLtools on one BLAS; random steps without an update, then some with."""

    def __init__(self, blas: str):
        rltools.src.training.acceleration_flags, setter = BLAS[blas]
        module = rltools.SAC(
            lambda: gymnasium.make(options.env),
            interface_name=f"peers_{blas}_{options.env.replace('-', '_')}",
            enable_evaluation=False,
            ACTOR_BATCH_SIZE=128,
            CRITIC_BATCH_SIZE=128,
            ACTOR_HIDDEN_DIM=300,
            CRITIC_HIDDEN_DIM=300,
            N_WARMUP_STEPS=options.starts,
            # an end that no measurement reaches; the buffer would take its size
            STEP_LIMIT=100_000_000,
            REPLAY_BUFFER_CAP=1_000_000,
            # as the other contestants
            ALPHA=1.0,
            OPTIMIZER_ALPHA=3e-4,
        )
        self.set_threads = getattr(ctypes.CDLL(module.__file__), setter)
        self.state = module.State(0)
        self.work(options.starts + 100)

    def work(self, steps: int) -> int:
        for _ in range(steps):
            self.state.step()
        return steps

    def on(self, threads: int):
        """Its work on so many threads."""

        def work(steps: int) -> int:
            self.set_threads(threads)
            return self.work(steps)

        return work


learners = {blas: Learner(blas) for blas in (BLAS if options.blas == "auto" else [options.blas])}
ways = itertools.product(learners, sorted({1, options.threads}))
blas, threads = fastest({(blas, threads): learners[blas].on(threads) for blas, threads in ways}, 50)
learner = learners[blas]
learner.set_threads(threads)
learner.work(options.steps)
packages = ["rltools", {"mkl": "mkl", "openblas": "scipy-openblas32"}[blas], "gymnasium", "mujoco", "numpy"]
serve(learner.work, packages, threads, settings={"BLAS": blas})
