"""SAC of Stable-Baselines3, environment included. Unit: one environment step with its update.

    python sb3_sac.py [--env HalfCheetah-v5] [--threads 1] [--steps 200]

Twin Q, automatic entropy, one update a step.
"""

from protocol import arguments, limit_threads, serve

options = arguments(__doc__, env="HalfCheetah-v5", steps=200)
limit_threads(options.threads)

import torch  # noqa: E402 (its pools take their size from the cores at hand)
from stable_baselines3 import SAC  # noqa: E402
from stable_baselines import worker  # noqa: E402

torch.set_num_threads(options.threads)
packages = ["stable-baselines3", "torch", "gymnasium", "mujoco", "numpy"]
serve(worker(SAC, options.env, options.steps), packages, torch.get_num_threads())
