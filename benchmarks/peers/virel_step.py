"""What the JAX and the PyTorch contestant share: the constants and shapes of virel and beta, what they begin with, and the check of
a step against the project's own reference (`case.mjs` writes what it is checked with).

The step itself is src/reference/gradient-step.ts and docs/algorithms/{virel,beta}.md. Values are those of preset `paper`.
"""

import base64
import json
import math
import sys
from pathlib import Path

import numpy as np

HIDDEN = 300
BATCH = 128
DISCOUNT = 0.99
LEARNING_RATE = 3e-4  # of all three networks, so that one Adam serves them
FIRST_DECAY, SECOND_DECAY, OFFSET = 0.9, 0.999, 1e-8
TARGET_RATE = 0.001
REGULARISER = 1e-3  # of the mean and of log sigma
LOG_STD_LOW, LOG_STD_HIGH = -20.0, 2.0
RESIDUAL_ROWS = 4096  # of beta, for every update
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

# observation size, action size, temperatureScale of beta
TASKS = {"HalfCheetah-v5": (17, 6, 4e-3), "Humanoid-v5": (348, 17, 4e-4)}


def layer_sizes(inputs: int, outputs: int) -> list[tuple[int, int]]:
    return [(inputs, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, outputs)]


def fresh_networks(env: str, seed: int = 0) -> dict[str, list]:
    """Policy (one head of width 2A: mean, then log sigma), Q, V and target V: [(weight [out, in], bias [out]), ...] each.
    Initialised as rlkit does: hidden weights U(+-1/sqrt(out)), hidden biases 0.1, small heads."""
    observation, action, _ = TASKS[env]
    rng = np.random.default_rng(seed)

    def layers(inputs, outputs, head):
        made = []
        for n_in, n_out in layer_sizes(inputs, outputs):
            last = n_out == outputs
            bound = head if last else 1 / math.sqrt(n_out)
            weight = rng.uniform(-bound, bound, (n_out, n_in))
            bias = rng.uniform(-bound, bound, n_out) if last else np.full(n_out, 0.1)
            made.append((weight.astype(np.float32), bias.astype(np.float32)))
        return made

    networks = {
        "policy": layers(observation, 2 * action, 1e-3),
        "actionValue": layers(observation + action, 1, 3e-3),
        "stateValue": layers(observation, 1, 3e-3),
    }
    return {**networks, "target": [(w.copy(), b.copy()) for w, b in networks["stateValue"]]}


def full_replay(env: str, rows: int, seed: int = 1) -> np.ndarray:
    """A full replay buffer, one transition a row: [s, a, r, d, s'], so that sampling touches one piece of memory a row."""
    observation, action, _ = TASKS[env]
    rng = np.random.default_rng(seed)
    replay = rng.standard_normal((rows, 2 * observation + action + 2), dtype=np.float32)
    actions = slice(observation, observation + action)
    replay[:, actions] = np.tanh(replay[:, actions])
    replay[:, observation + action + 1] = 0  # neither task of the table ends early that often
    return replay


def learned(env: str, folder: str) -> tuple[dict[str, list], np.ndarray]:
    """Networks and replay buffer of a run of `learned.mjs`."""
    # the contestants that begin fresh do without it
    from safetensors.numpy import load_file

    observation, action, _ = TASKS[env]
    networks = networks_of(load_file(Path(folder, "parameters.safetensors")))
    replay = np.concatenate([load_file(path)["rows"] for path in sorted(Path(folder).glob("rows-*.safetensors"))])
    # a row of ours holds gamma (1 - d)
    ends = replay[:, observation + action + 1]
    ends[:] = ends == 0
    return networks, replay


def beginning(options) -> tuple[dict[str, list], np.ndarray]:
    """What a learner starts with: what a run learned, where the options name one, or fresh networks and a full buffer."""
    if options.start is not None:
        return learned(options.env, options.start)
    return fresh_networks(options.env), full_replay(options.env, options.rows)


# --- the check ---

HEADS = {"policy": ("mean", "logStd"), "actionValue.0": ("value",), "stateValue": ("value",)}
NETWORKS = {"policy": "policy", "actionValue": "actionValue.0", "stateValue": "stateValue"}


class Case:
    """Steps of the reference in float64: parameters, the batch and noise of each step, losses, gradients, parameters after."""

    def __init__(self, path: str):
        with open(path) as file:
            case = json.load(file)
        self.env, self.algorithm = case["env"], case["algorithm"]
        self.networks = networks_of(_arrays(case["parameters"]))
        self.steps = [
            {
                "batch": replay_rows(_arrays(step["batch"])),
                "noise": _array(step["noise"]),
                "residual": replay_rows(_arrays(step["residual"])) if "residual" in step else None,
                "losses": step["losses"],
                "gradients": networks_of(_arrays(step["gradients"])),
            }
            for step in case["steps"]
        ]
        self.after = networks_of(_arrays(case["after"]))


def replay_rows(batch: dict) -> np.ndarray:
    """The rows of a replay buffer that hold this batch."""
    column = lambda name: batch[name].reshape(-1, 1)
    parts = [batch["observations"], batch["actions"], column("rewards"), column("terminated")]
    return np.concatenate([*parts, batch["nextObservations"]], axis=1)


def networks_of(named: dict) -> dict[str, list]:
    """Named parameters as layers; the policy's two heads side by side."""

    def layers(name, prefix=""):
        stem = f"{prefix}{name}"
        heads = HEADS[name]
        join = lambda kind: np.concatenate([named[f"{stem}.{head}.{kind}"] for head in heads])
        hidden = [tuple(named[f"{stem}.trunk.{i}.{kind}"] for kind in ("weight", "bias")) for i in (0, 1)]
        return [*hidden, (join("weight"), join("bias"))]

    networks = {key: layers(name) for key, name in NETWORKS.items()}
    if "target.stateValue.value.weight" in named:
        networks["target"] = layers("stateValue", "target.")
    return networks


class Comparison:
    """Relative errors of a contestant, printed one by one; `conclude` ends the process."""

    def __init__(self, title: str):
        self.title, self.passed, self.failed = title, 0, 0

    def near(self, what: str, got, expected, tolerance: float) -> None:
        got, expected = (np.asarray(each, dtype=np.float64) for each in (got, expected))
        error = np.linalg.norm(got - expected) / max(np.linalg.norm(expected), 1e-12)
        good = got.shape == expected.shape and error <= tolerance
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"{'ok    ' if good else 'FAILED'} {self.title}: {what}, relative error {error:.1e} (at most {tolerance:.0e})")

    def networks(self, what: str, got: dict, expected: dict, tolerance: float) -> None:
        for network, layers in got.items():
            flat = lambda pairs: np.concatenate([np.asarray(part).ravel() for pair in pairs for part in pair])
            self.near(f"{what} of {network}", flat(layers), flat(expected[network]), tolerance)

    def conclude(self) -> None:
        print(f"{self.title}: {self.passed} passed, {self.failed} failed")
        if self.failed or not self.passed:
            sys.exit(1)


# float32 against float64: of one step, and of what several steps moved (Adam divides small gradients by their own size)
STEP_TOLERANCE = 1e-5
MOVED_TOLERANCE = 1e-3


def difference(after: dict, before: dict) -> dict:
    """What the parameters moved by."""
    pairs = lambda name: zip(after[name], before[name], strict=True)
    return {
        name: [tuple(np.asarray(x, np.float64) - y for x, y in zip(new, old, strict=True)) for new, old in pairs(name)]
        for name in after
    }


def _array(entry: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(entry["data"]), dtype=np.float64).reshape(entry["shape"])


def _arrays(entries: dict) -> dict[str, np.ndarray]:
    return {name: _array(entry) for name, entry in entries.items()}
