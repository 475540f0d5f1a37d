"""virel and beta in eager PyTorch: the same gradient step. Learner alone, unit: one update.

    python torch_virel.py [--algorithm virel|beta] [--env HalfCheetah-v5] [--threads 1] [--start FOLDER] [--check CASE]

One policy pass and one Q(s, a~) pass serve M-step and E-step; the policy's loss sees Q with detached weights, so that one
backward pass serves all three networks; one fused Adam, one lerp for the target. (torch.compile is slower than this on a CPU.)
"""

import math

import virel_step as spec
from protocol import arguments, fastest, limit_threads, serve

options = arguments(__doc__, algorithm="virel", env="HalfCheetah-v5", rows=100_000, start=None, tile="auto", check=None)
limit_threads(options.threads)

import torch  # noqa: E402 (its pools take their size from the cores at hand)
from torch.nn.functional import linear, softplus  # noqa: E402

torch.set_num_threads(options.threads)
torch.set_num_interop_threads(1)

TRAINED = ("policy", "actionValue", "stateValue")


def forward(layers, inputs):
    for weight, bias in layers[:-1]:
        inputs = torch.relu_(linear(inputs, weight, bias))
    weight, bias = layers[-1]
    return linear(inputs, weight, bias)


def value(layers, inputs):
    return forward(layers, inputs)[:, 0]


class Learner:
    """Networks, optimiser, replay buffer."""

    def __init__(self, env: str, algorithm: str, networks: dict, tile: int, replay=None):
        self.observation_size, self.action_size, self.temperature_scale = spec.TASKS[env]
        self.algorithm, self.tile, self.replay = algorithm, tile, replay
        tensor = lambda array: torch.tensor(array, dtype=torch.float32)
        self.networks = {name: [tuple(map(tensor, pair)) for pair in layers] for name, layers in networks.items()}
        flat = lambda name: [part for pair in self.networks[name] for part in pair]
        self.trained = [part.requires_grad_() for name in TRAINED for part in flat(name)]
        self.state_value, self.target = flat("stateValue"), flat("target")
        self.optimiser = torch.optim.Adam(self.trained, lr=spec.LEARNING_RATE, eps=spec.OFFSET, fused=True)

    def columns(self, rows):
        """s, (s, a), r, gamma (1 - d), s' of rows of the buffer; views all."""
        pair_size = self.observation_size + self.action_size
        discount = spec.DISCOUNT * (1 - rows[:, pair_size + 1])
        return rows[:, : self.observation_size], rows[:, :pair_size], rows[:, pair_size], discount, rows[:, pair_size + 2 :]

    @torch.no_grad()
    def residual_error(self, rows):
        """Of the online critic, tile by tile, so that what lies between the layers stays in the cache."""
        total = 0
        for tile in rows.split(self.tile):
            _, pair, reward, discount, following = self.columns(tile)
            target = torch.addcmul(reward, discount, value(self.networks["stateValue"], following))
            total = total + (target - value(self.networks["actionValue"], pair)).square_().sum()
        return total / len(rows)

    def losses(self, rows, noise, temperature):
        networks = self.networks
        observation, pair, reward, discount, following = self.columns(rows)

        # a~ and its density, once for both steps
        mean, log_std = forward(networks["policy"], observation).chunk(2, dim=1)
        log_std = log_std.clamp(spec.LOG_STD_LOW, spec.LOG_STD_HIGH)
        pre_tanh = torch.addcmul(mean, log_std.exp(), noise)
        log_derivative = 2 * (math.log(2) - pre_tanh - softplus(-2 * pre_tanh))
        gaussian = -0.5 * noise.square() - spec.HALF_LOG_2PI - log_std
        log_density = (gaussian - log_derivative).sum(1)

        # M-step; E-step
        frozen = [(weight.detach(), bias.detach()) for weight, bias in networks["actionValue"]]
        sampled = value(frozen, torch.cat([observation, pre_tanh.tanh()], 1))
        with torch.no_grad():
            action_value_target = torch.addcmul(reward, discount, value(networks["target"], following))
        action_value = (value(networks["actionValue"], pair) - action_value_target).square().mean()
        state_value = (value(networks["stateValue"], observation) - sampled.detach()).square().mean()
        regulariser = spec.REGULARISER * (mean.square().mean() + log_std.square().mean())
        policy = (temperature * log_density - sampled).mean() + regulariser
        return {"policy": policy, "actionValue": action_value, "stateValue": state_value}

    def gradient(self, rows, noise, residual_rows):
        temperature = 1.0
        if self.algorithm == "beta":
            temperature = self.temperature_scale * self.residual_error(residual_rows)
        self.optimiser.zero_grad(set_to_none=True)
        losses = self.losses(rows, noise, temperature)
        sum(losses.values()).backward()
        return losses

    def step(self):
        self.optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.target, self.state_value, spec.TARGET_RATE)

    def work(self, updates: int) -> int:
        count = len(self.replay)
        sample = lambda rows: self.replay.index_select(0, torch.randint(count, (rows,)))
        for _ in range(updates):
            residual_rows = sample(spec.RESIDUAL_ROWS) if self.algorithm == "beta" else None
            self.gradient(sample(spec.BATCH), torch.randn(spec.BATCH, self.action_size), residual_rows)
            self.step()
        return updates


def fastest_tile(replay, networks) -> int:
    """The tile of the residual error that is fastest here."""
    if options.algorithm == "virel" or options.tile != "auto":
        return spec.RESIDUAL_ROWS if options.tile == "auto" else int(options.tile)
    learners = {
        tile: Learner(options.env, options.algorithm, networks, tile, replay)
        for tile in (256, 512, 1024, spec.RESIDUAL_ROWS)
    }
    for learner in learners.values():
        learner.work(2)
    return fastest({tile: learner.work for tile, learner in learners.items()}, 5)


def check(path: str) -> None:
    case = spec.Case(path)
    comparison = spec.Comparison(f"torch {case.algorithm} {case.env}")
    tensor = lambda array: None if array is None else torch.tensor(array, dtype=torch.float32)
    for tile in [256, 1024]:
        learner = Learner(case.env, case.algorithm, case.networks, tile)
        for number, step in enumerate(case.steps):
            losses = learner.gradient(*(tensor(step[name]) for name in ("batch", "noise", "residual")))
            if number == 0:
                for name, loss in losses.items():
                    comparison.near(f"loss {name}", loss.item(), step["losses"][name], spec.STEP_TOLERANCE)
                gradients = {name: [[part.grad for part in pair] for pair in learner.networks[name]] for name in TRAINED}
                comparison.networks("gradient", gradients, step["gradients"], spec.STEP_TOLERANCE)
            learner.step()
        plain = lambda pairs: [tuple(part.detach().numpy() for part in pair) for pair in pairs]
        after = {name: plain(layers) for name, layers in learner.networks.items()}
        moved = [spec.difference(each, case.networks) for each in (after, case.after)]
        comparison.networks("movement", *moved, spec.MOVED_TOLERANCE)
    comparison.conclude()


def main() -> None:
    if options.check:
        return check(options.check)
    torch.manual_seed(0)
    networks, rows = spec.beginning(options)
    replay = torch.from_numpy(rows)
    tile = fastest_tile(replay, networks)
    learner = Learner(options.env, options.algorithm, networks, tile, replay)
    learner.work(50)
    settings = {"tile": tile} if options.algorithm == "beta" else {}
    serve(learner.work, ["torch", "numpy"], torch.get_num_threads(), settings=settings)


main()
