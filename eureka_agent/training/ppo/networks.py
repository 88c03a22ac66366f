"""K policies and K value functions as stacked weights, computed by batched matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from eureka_agent.tasks.choices import one_hot
from eureka_agent.training.policy import OBSERVATION_CLIP, Policy
from eureka_agent.training.ppo.choices import gumbel, log_shares
from eureka_agent.training.ppo.gradients import Networks
from eureka_agent.training.ppo.mlp import StackedMLP, forward

_LEAST_VARIANCE = 1e-5
"""Is added to a variance before the root, so that it is never 0."""


class RunningMoments:
    """Mean and variance of all values so far, per candidate (Chan et al. 1979)."""

    STATE = ("mean", "variance", "count")

    def __init__(self, copies: int, size: int, device: torch.device | None = None) -> None:
        self.mean = torch.zeros(copies, size, device=device)
        self.variance = torch.ones(copies, size, device=device)
        self.count = torch.zeros(copies, size, dtype=torch.float64, device=device)

    def update(self, x: Tensor) -> None:
        """Add values `(K, n, size)`."""
        variance, mean = torch.var_mean(x, dim=1, correction=0)
        count = float(x.shape[1])
        total = self.count + count
        delta = mean - self.mean
        self.mean = self.mean + delta * (count / total).to(x.dtype)
        spread = (
            self.variance * self.count.to(x.dtype)
            + variance * count
            + delta**2 * (self.count * count / total).to(x.dtype)
        )
        self.variance = spread / total.to(x.dtype)
        self.count = total

    @property
    def std(self) -> Tensor:
        """`(K, size)`, always positive."""
        return (self.variance + _LEAST_VARIANCE).sqrt()

    def keep(self, rows: Tensor) -> None:
        """Remove all candidates except `rows`."""
        self.mean = self.mean[rows]
        self.variance = self.variance[rows]
        self.count = self.count[rows]

    def to(self, device: torch.device) -> None:
        """Move everything to `device`."""
        self.mean = self.mean.to(device)
        self.variance = self.variance.to(device)
        self.count = self.count.to(device)


class Population:
    """K policies, value functions and observation statistics.

    Policies are Gaussian with state-independent noise, or choose among options.

    Observations have `critic_size` entries: first the `observation_size` that the policy sees, then
    the `privileged_size` that only the value function sees. Each entry has its own statistics.

    All weights of a candidate are one row of `flat (K, P)`: the policy's, then the value
    function's. The networks' weights are views of it, so the optimiser and `keep` handle one
    tensor.
    """

    def __init__(
        self,
        copies: int,
        observation_size: int,
        action_size: int,
        hidden: Sequence[int],
        std: float,
        seed: int,
        *,
        draws: int = 1,
        privileged_size: int = 0,
        choices: Sequence[int] = (),
    ) -> None:
        """Candidates with the same draw (`k % draws`) start with equal weights.

        The policy's weights do not depend on the critic's size in the first draw.
        """
        generator = torch.Generator().manual_seed(seed)
        self.sizes = (observation_size, *hidden, action_size)
        self.choices = list(choices)
        critic_sizes = (observation_size + privileged_size, *hidden, 1)
        rows: list[Tensor] = []
        for _ in range(draws):
            initial = [
                *_initial_layers(self.sizes, gain=0.01, generator=generator),
                torch.full((1, action_size), std).log(),
                *_initial_layers(critic_sizes, gain=1.0, generator=generator),
            ]
            rows.append(torch.cat([tensor.flatten() for tensor in initial]))
        self._shapes = [tensor.shape for tensor in initial]
        self.flat = torch.stack(rows).repeat(copies // draws, 1)
        self.moments = RunningMoments(copies, observation_size + privileged_size)
        self._view()

    def to(self, device: torch.device) -> Population:
        """Move everything to `device`; returns itself."""
        self.flat = self.flat.to(device)
        self.moments.to(device)
        self._view()
        return self

    def _view(self) -> None:
        """Make the networks from views of `flat`."""
        parts = torch.split(self.flat, [shape.numel() for shape in self._shapes], dim=1)
        views = [
            part.view(len(self.flat), *shape)
            for part, shape in zip(parts, self._shapes, strict=True)
        ]
        layers = len(self.sizes) - 1
        self.policy_parameters = views[: 2 * layers + 1]
        self.value_parameters = views[2 * layers + 1 :]
        self.networks = Networks(
            actor=StackedMLP(self.policy_parameters[:layers], self.policy_parameters[layers:-1]),
            log_std=self.policy_parameters[-1],
            critic=StackedMLP(self.value_parameters[:layers], self.value_parameters[layers:]),
            choices=self.choices,
        )

    def normalise(self, observation: Tensor) -> Tensor:
        """`(K, n, critic_size)` in units of the running standard deviation."""
        x = (observation - self.moments.mean[:, None]) / self.moments.std[:, None]
        return x.clamp(-OBSERVATION_CLIP, OBSERVATION_CLIP)

    def output(self, x: Tensor) -> Tensor:
        """Mean actions, or the options' scores, `(K, n, action_size)`.

        `x` are normalised observations; their privileged entries are ignored.
        """
        return forward(self.networks.actor, x[..., : self.sizes[0]])[0]

    def value(self, x: Tensor) -> Tensor:
        """`(K, n)` from normalised observations."""
        return forward(self.networks.critic, x)[0].squeeze(-1)

    def explore(self, output: Tensor, noise: Tensor) -> Tensor:
        """Draw actions `(K, n, action_size)`, with standard normal noise of this shape."""
        if self.choices:
            return one_hot(output + gumbel(noise), self.choices)
        return output + self.networks.log_std.exp() * noise

    def log_prob(self, output: Tensor, action: Tensor) -> Tensor:
        """`(K, n)`: log density, without the constant that cancels in every ratio."""
        if self.choices:
            return (action * log_shares(output, self.choices)).sum(dim=-1)
        z = (action - output) * (-self.networks.log_std).exp()
        return -(0.5 * z.square() + self.networks.log_std).sum(dim=-1)

    def keep(self, rows: Tensor) -> None:
        """Remove all candidates except `rows`."""
        self.flat = self.flat[rows]
        self.moments.keep(rows)
        self._view()

    def split_policy_value(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return views of the policies' and the value functions' columns of a tensor `(K, P)`."""
        policy = sum(parameter[0].numel() for parameter in self.policy_parameters)
        return flat[:, :policy], flat[:, policy:]

    def load_flat(self, flat: Tensor) -> None:
        """Replace all weights."""
        self.flat = flat.to(self.flat.device)
        self._view()

    @torch.no_grad()
    def start_from(self, k: int, policy: Policy, *, steps: int) -> None:
        """Give candidate `k` the weights and the observation statistics of a policy.

        The value function and the exploration noise stay as they are.

        Args:
            k: The candidate.
            policy: A policy that `demand_fit` accepts.
            steps: The statistics weigh as much as those of this number of observations, so that
                the first rollouts change them only a little.
        """
        seen = self.sizes[0]
        self.moments.mean[k, :seen] = policy.observation_mean
        variance = policy.observation_std.square() - _LEAST_VARIANCE
        self.moments.variance[k, :seen] = variance.clamp(min=0.0)
        self.moments.count[k, :seen] = float(steps)
        for layer, weight, bias in zip(policy.layers, *self.networks.actor, strict=True):
            assert isinstance(layer, nn.Linear)
            weight[k].copy_(layer.weight.T)
            bias[k, 0].copy_(layer.bias)

    @torch.no_grad()
    def export(self, k: int) -> Policy:
        """Return candidate `k`'s policy as a module, without the value function."""
        policy = Policy(self.sizes, choices=self.choices)
        policy.observation_mean.copy_(self.moments.mean[k, : self.sizes[0]])
        policy.observation_std.copy_(self.moments.std[k, : self.sizes[0]])
        for layer, weight, bias in zip(policy.layers, *self.networks.actor, strict=True):
            assert isinstance(layer, nn.Linear)
            layer.weight.copy_(weight[k].T)
            layer.bias.copy_(bias[k, 0])
        return policy.eval()


def _initial_layers(
    sizes: Sequence[int], *, gain: float, generator: torch.Generator
) -> list[Tensor]:
    """Return one candidate's weights, then its biases.

    Weights are orthogonal, with `gain` in the last layer and sqrt(2) in the others.
    """
    weights, biases = [], []
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        weight = torch.empty(fan_out, fan_in)
        last = layer == len(sizes) - 2
        nn.init.orthogonal_(weight, gain if last else 2.0**0.5, generator=generator)
        weights.append(weight.T.contiguous())
        biases.append(torch.zeros(1, fan_out))
    return [*weights, *biases]
