"""SAC of Stable-Baselines3, environment included. Unit: one environment step with its update.

    python sb3_sac.py [--env HalfCheetah-v5] [--threads 1]

Its own defaults (twin Q, automatic entropy, one update a step) but for the sizes: two layers of 300, batch 128.
"""

from protocol import arguments, limit_threads, serve

options = arguments(__doc__, env="HalfCheetah-v5", starts=1000)
limit_threads(options.threads)

import torch  # noqa: E402 (its pools take their size from the cores at hand)
from stable_baselines3 import SAC  # noqa: E402

torch.set_num_threads(options.threads)

model = SAC(
    "MlpPolicy",
    options.env,
    batch_size=128,
    learning_starts=options.starts,
    policy_kwargs={"net_arch": [300, 300]},
    device="cpu",
    seed=0,
)


def work(steps: int) -> int:
    before = model.num_timesteps
    model.learn(steps, log_interval=None, reset_num_timesteps=False)
    return model.num_timesteps - before


# random steps without an update, then some with
work(options.starts + 200)
packages = ["stable-baselines3", "torch", "gymnasium", "mujoco", "numpy"]
serve(work, packages, torch.get_num_threads())
