"""SAC of SBX (Stable-Baselines3 in JAX), environment included. Unit: one environment step with its update.

    python sbx_sac.py [--env HalfCheetah-v5] [--threads 1] [--steps 200]

Twin Q, automatic entropy, one compiled update a step.
"""

from protocol import arguments, cores, limit_threads, serve

options = arguments(__doc__, env="HalfCheetah-v5", steps=200)
limit_threads(options.threads)

import torch  # noqa: E402 (what SB3's replay buffer hands out; the pools take their size from the cores at hand)
from sbx import SAC  # noqa: E402
from stable_baselines import worker  # noqa: E402

torch.set_num_threads(options.threads)
packages = ["sbx-rl", "jax", "jaxlib", "flax", "stable-baselines3", "gymnasium", "mujoco", "numpy"]
serve(worker(SAC, options.env, options.steps), packages, cores())
