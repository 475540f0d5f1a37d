"""virel and beta in JAX: the same gradient step, compiled, 50 of them in one call. Learner alone, unit: one update.

    python jax_virel.py [--algorithm virel|beta] [--env HalfCheetah-v5] [--threads 1] [--device cpu|cuda] [--start FOLDER] [--check CASE]

One policy pass and one Q(s, a~) pass serve M-step and E-step; the policy's loss sees Q with its weights held constant, so that
no gradient of them is computed; replay, sampling and random numbers are on the device; the state is donated. What depends on
the machine is tried at the start and the fastest is taken: parameters and Adam flat or by tensor, Q's first layer split so that
the state's part serves both passes, and the tile of beta's residual error.
"""

import itertools
import math
from functools import partial
from typing import NamedTuple

import virel_step as spec
from protocol import arguments, cores, fastest, limit_threads, serve

options = arguments(
    __doc__,
    algorithm="virel",
    env="HalfCheetah-v5",
    rows=100_000,
    start=None,
    adam="auto",
    split="auto",
    tile="auto",
    check=None,
    device="cpu",
)
limit_threads(options.threads, options.device)

import jax  # noqa: E402 (its pools take their size from the cores at hand)
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402
from jax.flatten_util import ravel_pytree  # noqa: E402

UPDATES_PER_CALL = 50


class Settings(NamedTuple):
    """What the machine decides."""

    flat: bool  # parameters, moments and gradient as one vector each
    split: bool  # Q's first layer as W_s s + W_a a, W_s s shared by Q(s, a) and Q(s, a~)
    tile: int  # rows of the residual error that go through the networks at once


class State(NamedTuple):
    parameters: object  # policy, Q, V: a vector or a tree
    target: object  # target V, a tree
    first: object  # Adam's moments, in the shape of the parameters
    second: object
    steps: jax.Array
    key: jax.Array


def tree_of(networks: dict):
    """(policy, Q, V), target V; weights as [in, out]."""
    layers = lambda name: tuple((jnp.asarray(w.T, jnp.float32), jnp.asarray(b, jnp.float32)) for w, b in networks[name])
    return (layers("policy"), layers("actionValue"), layers("stateValue")), layers("target")


def networks_of(trained, target=None) -> dict:
    layers = lambda network: [(w.T, b) for w, b in network]
    named = dict(zip(("policy", "actionValue", "stateValue"), map(layers, trained), strict=True))
    return named if target is None else {**named, "target": layers(target)}


def head(hidden, layers):
    """Everything behind the first layer's sum."""
    (w2, b2), (w3, b3) = layers
    return jax.nn.relu(jax.nn.relu(hidden) @ w2 + b2) @ w3 + b3


def forward(layers, inputs):
    (w1, b1), *rest = layers
    return head(inputs @ w1 + b1, rest)


def value(layers, inputs):
    return forward(layers, inputs)[:, 0]


def make_step(env: str, algorithm: str, settings: Settings, unravel):
    """update(state, rows, noise, residual rows) -> (state, losses), and the gradient alone."""
    observation_size, action_size, temperature_scale = spec.TASKS[env]
    unpack = unravel if settings.flat else lambda tree: tree
    pack = (lambda tree: ravel_pytree(tree)[0]) if settings.flat else lambda tree: tree

    def columns(rows):
        """s, (s, a), r, gamma (1 - d), s' of rows of the buffer."""
        pair = rows[:, : observation_size + action_size]
        reward, terminated = rows[:, observation_size + action_size], rows[:, observation_size + action_size + 1]
        following = rows[:, observation_size + action_size + 2 :]
        return pair[:, :observation_size], pair, reward, spec.DISCOUNT * (1 - terminated), following

    def action_values(layers, observation, pair, sampled):
        """Q(s, a) with its gradient by Q's weights alone, Q(s, a~) with its gradient by a~ alone."""
        frozen = lax.stop_gradient(layers)
        if not settings.split:
            return value(layers, pair), value(frozen, jnp.concatenate([observation, sampled], axis=1))
        (w1, b1), *rest = layers
        (frozen_w1, _), *frozen_rest = frozen
        shared = observation @ w1[:observation_size] + b1
        own = head(shared + pair[:, observation_size:] @ w1[observation_size:], rest)
        other = head(lax.stop_gradient(shared) + sampled @ frozen_w1[observation_size:], frozen_rest)
        return own[:, 0], other[:, 0]

    def loss(trained, target, rows, noise, temperature):
        policy, action_value, state_value = trained
        observation, pair, reward, discount, following = columns(rows)

        # a~ and its density, once for both steps
        mean, log_std = jnp.split(forward(policy, observation), 2, axis=1)
        log_std = jnp.clip(log_std, spec.LOG_STD_LOW, spec.LOG_STD_HIGH)
        pre_tanh = mean + jnp.exp(log_std) * noise
        log_derivative = 2 * (math.log(2) - pre_tanh - jax.nn.softplus(-2 * pre_tanh))
        gaussian = -0.5 * noise**2 - log_std - spec.HALF_LOG_2PI
        log_density = jnp.sum(gaussian - log_derivative, axis=1)

        # M-step; E-step
        own, sampled = action_values(action_value, observation, pair, jnp.tanh(pre_tanh))
        action_value_target = reward + discount * value(target, following)
        action_value_loss = jnp.mean((own - action_value_target) ** 2)
        state_value_loss = jnp.mean((value(state_value, observation) - lax.stop_gradient(sampled)) ** 2)
        regulariser = spec.REGULARISER * (jnp.mean(mean**2) + jnp.mean(log_std**2))
        policy_loss = jnp.mean(temperature * log_density - sampled) + regulariser
        losses = {"policy": policy_loss, "actionValue": action_value_loss, "stateValue": state_value_loss}
        return policy_loss + action_value_loss + state_value_loss, losses

    def temperature_of(trained, residual_rows):
        """1, or beta's: the residual error of the online critic on rows that come tile by tile."""
        if algorithm == "virel":
            return 1.0
        _, action_value, state_value = trained

        def squares(rows):
            _, pair, reward, discount, following = columns(rows)
            residual = reward + discount * value(state_value, following) - value(action_value, pair)
            return jnp.sum(residual**2)

        count, fetch = residual_rows
        tile = min(settings.tile, count)
        if tile == count:
            total = squares(fetch(0, tile))
        else:
            starts = jnp.arange(0, count, tile)
            total, _ = lax.scan(lambda sum_, start: (sum_ + squares(fetch(start, tile)), None), 0.0, starts)
        return temperature_scale * total / count

    def gradient(state, rows, noise, residual_rows):
        trained = unpack(state.parameters)
        temperature = temperature_of(trained, residual_rows)
        return jax.grad(loss, has_aux=True)(trained, state.target, rows, noise, temperature)

    def update(state, rows, noise, residual_rows):
        gradients, losses = gradient(state, rows, noise, residual_rows)
        steps = state.steps + 1
        first_correction = 1 - spec.FIRST_DECAY**steps
        second_correction = 1 - spec.SECOND_DECAY**steps
        mix = lambda decay: lambda moment, new: decay * moment + (1 - decay) * new
        packed = pack(gradients)
        first = jax.tree.map(mix(spec.FIRST_DECAY), state.first, packed)
        second = jax.tree.map(lambda v, g: spec.SECOND_DECAY * v + (1 - spec.SECOND_DECAY) * g * g, state.second, packed)
        rate, root = spec.LEARNING_RATE / first_correction, lax.rsqrt(second_correction)
        moved = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + spec.OFFSET), state.parameters, first, second
        )
        target = jax.tree.map(mix(1 - spec.TARGET_RATE), state.target, unpack(moved)[2])
        return State(moved, target, first, second, steps, state.key), losses

    return update, gradient


def initial_state(networks: dict, flat: bool):
    trained, target = tree_of(networks)
    vector, unravel = ravel_pytree(trained)
    parameters = vector if flat else trained
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    # Philox: several times cheaper on a CPU than the default generator
    key = jax.random.key(0, impl="rbg")
    return State(parameters, target, zeros(), zeros(), jnp.float32(0), key), unravel


def make_block(env: str, algorithm: str, settings: Settings, unravel):
    """block(state, replay): 50 updates in one compiled call."""
    update, _ = make_step(env, algorithm, settings, unravel)
    action_size = spec.TASKS[env][1]

    @partial(jax.jit, donate_argnums=0)
    def block(state, replay):
        key, for_rows, for_noise, for_residual = jax.random.split(state.key, 4)
        count = UPDATES_PER_CALL
        fetch = lambda index: replay.at[index].get(mode="promise_in_bounds")
        # all random numbers of a call at once
        drawn = {
            "rows": jax.random.randint(for_rows, (count, spec.BATCH), 0, replay.shape[0]),
            "noise": jax.random.normal(for_noise, (count, spec.BATCH, action_size)),
        }
        if algorithm == "beta":
            drawn["residual"] = jax.random.randint(for_residual, (count, spec.RESIDUAL_ROWS), 0, replay.shape[0])

        def one(state, own):
            tiles = lambda start, size: fetch(lax.dynamic_slice_in_dim(own["residual"], start, size))
            state, _ = update(state, fetch(own["rows"]), own["noise"], (spec.RESIDUAL_ROWS, tiles))
            return state, None

        state, _ = lax.scan(one, state._replace(key=key), drawn)
        return state

    return block


class Learner:
    """A warm learner with its settings."""

    def __init__(self, settings: Settings, networks: dict, replay):
        self.replay = replay
        self.state, unravel = initial_state(networks, settings.flat)
        self.block = make_block(options.env, options.algorithm, settings, unravel)
        self.work(1)

    def work(self, updates: int) -> int:
        calls = math.ceil(updates / UPDATES_PER_CALL)
        for _ in range(calls):
            self.state = self.block(self.state, self.replay)
        jax.block_until_ready(self.state)
        return calls * UPDATES_PER_CALL


def choices(option: str, others, known):
    return others if option == "auto" else [known(option)]


def fastest_settings(networks: dict, replay) -> Settings:
    """Tries what the options leave open: first layouts, then tiles."""

    def fastest_of(candidates):
        if len(candidates) == 1:
            return candidates[0]
        return fastest({settings: Learner(settings, networks, replay).work for settings in candidates}, UPDATES_PER_CALL)

    flats = choices(options.adam, [True, False], lambda word: word == "flat")
    splits = choices(options.split, [False, True], lambda word: word == "yes")
    tiles = choices(options.tile, [512, 256, 1024, spec.RESIDUAL_ROWS], int) if options.algorithm == "beta" else [0]
    best = fastest_of([Settings(*each, tiles[0]) for each in itertools.product(flats, splits)])
    return fastest_of([best._replace(tile=tile) for tile in tiles])


def check(path: str) -> None:
    """Every setting against the reference."""
    case = spec.Case(path)
    tiles = [256, 1024] if case.algorithm == "beta" else [0]
    comparison = spec.Comparison(f"jax {case.algorithm} {case.env}")
    for settings in itertools.starmap(Settings, itertools.product([True, False], [True, False], tiles)):
        print(settings)
        state, unravel = initial_state(case.networks, settings.flat)
        update, gradient = make_step(case.env, case.algorithm, settings, unravel)
        for number, step in enumerate(case.steps):
            rows, noise = (jnp.asarray(step[name], jnp.float32) for name in ("batch", "noise"))
            residual = jnp.asarray(step["residual"] if case.algorithm == "beta" else rows, jnp.float32)
            count = residual.shape[0]
            tile_rows = (count, lambda start, size, all_=residual: lax.dynamic_slice_in_dim(all_, start, size))
            if number == 0:
                gradients, losses = jax.jit(lambda *given: gradient(*given, tile_rows))(state, rows, noise)
                for name, loss in losses.items():
                    comparison.near(f"loss {name}", loss, step["losses"][name], spec.STEP_TOLERANCE)
                comparison.networks("gradient", networks_of(gradients), step["gradients"], spec.STEP_TOLERANCE)
            state, _ = jax.jit(lambda *given: update(*given, tile_rows))(state, rows, noise)
        trained = unravel(state.parameters) if settings.flat else state.parameters
        after = networks_of(trained, state.target)
        moved = [spec.difference(each, case.networks) for each in (after, case.after)]
        comparison.networks("movement", *moved, spec.MOVED_TOLERANCE)
    comparison.conclude()


def main() -> None:
    if options.check:
        return check(options.check)
    networks, rows = spec.beginning(options)
    replay = jnp.asarray(rows)
    settings = fastest_settings(networks, replay)
    learner = Learner(settings, networks, replay)
    learner.work(2 * UPDATES_PER_CALL)
    chosen = {
        "parameters": "flat" if settings.flat else "by tensor",
        "first layer of Q": "split" if settings.split else "whole",
        **({"tile": settings.tile} if options.algorithm == "beta" else {}),
        "updates per call": UPDATES_PER_CALL,
    }
    serve(learner.work, ["jax", "jaxlib", "numpy"], cores(), settings=chosen)


main()
