"""What the contestants with Stable-Baselines3's interface share: sizes, and work in environment steps with their updates."""

from collections.abc import Callable

STARTS = 1000
"""Random steps before the first update."""


def worker(algorithm: type, env: str, steps: int) -> Callable[[int], int]:
    """`algorithm` with its own defaults but for the sizes: two layers of 300, batch 128. Warm: after its random steps it took
    `steps` with an update, the first of which compile it where it compiles."""
    model = algorithm(
        "MlpPolicy",
        env,
        batch_size=128,
        learning_starts=STARTS,
        policy_kwargs={"net_arch": [300, 300]},
        device="cpu",
        seed=0,
    )

    def work(steps: int) -> int:
        before = model.num_timesteps
        model.learn(steps, log_interval=None, reset_num_timesteps=False)
        return model.num_timesteps - before

    work(STARTS + steps)
    return work
