"""K policies and K value functions as stacked weights: one batched matrix product serves the whole population."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from eureka_agent.policy import OBSERVATION_CLIP, Policy


class StackedMLP:
    """K multilayer perceptrons with ELU; weights `(K, fan_in, fan_out)`, all K alike at the start."""

    def __init__(self, copies: int, sizes: Sequence[int], *, gain: float, generator: torch.Generator) -> None:
        """`gain` scales the orthogonal initialisation of the last layer (hidden layers: sqrt 2)."""
        self.weights: list[Tensor] = []
        self.biases: list[Tensor] = []
        for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            weight = torch.empty(fan_out, fan_in)
            last = layer == len(sizes) - 2
            nn.init.orthogonal_(weight, gain if last else 2.0**0.5, generator=generator)
            self.weights.append(weight.T.expand(copies, -1, -1).clone().requires_grad_())
            self.biases.append(torch.zeros(copies, 1, fan_out, requires_grad=True))

    def __call__(self, x: Tensor) -> Tensor:
        """`(K, n, inputs)` to `(K, n, outputs)`."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = nn.functional.elu(torch.baddbmm(bias, x, weight))
        return torch.baddbmm(self.biases[-1], x, self.weights[-1])

    def parameters(self) -> list[Tensor]:
        """All weights and biases; the first dimension of each is the candidate."""
        return [*self.weights, *self.biases]


class RunningMoments:
    """Mean and variance per candidate over all that was seen (Chan et al. 1979)."""

    def __init__(self, copies: int, size: int) -> None:
        self.mean = torch.zeros(copies, size)
        self.variance = torch.ones(copies, size)
        self.count = 0.0

    def update(self, x: Tensor) -> None:
        """Take in `(K, n, size)`."""
        variance, mean = torch.var_mean(x, dim=1, correction=0)
        count = float(x.shape[1])
        total = self.count + count
        delta = mean - self.mean
        self.mean = self.mean + delta * (count / total)
        spread = self.variance * self.count + variance * count + delta**2 * (self.count * count / total)
        self.variance = spread / total
        self.count = total

    @property
    def std(self) -> Tensor:
        """`(K, size)`, never 0."""
        return (self.variance + 1e-5).sqrt()


class Population:
    """K Gaussian policies with state-independent noise, their value functions and observation statistics."""

    def __init__(
        self, copies: int, observation_size: int, action_size: int, hidden: Sequence[int], std: float, seed: int
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.sizes = (observation_size, *hidden, action_size)
        self.actor = StackedMLP(copies, self.sizes, gain=0.01, generator=generator)
        self.critic = StackedMLP(copies, (observation_size, *hidden, 1), gain=1.0, generator=generator)
        self.log_std = torch.full((copies, 1, action_size), std).log().requires_grad_()
        self.moments = RunningMoments(copies, observation_size)

    def parameters(self) -> list[Tensor]:
        """Everything that is learned; the first dimension of each is the candidate."""
        return [*self.actor.parameters(), *self.critic.parameters(), self.log_std]

    def normalise(self, observation: Tensor) -> Tensor:
        """`(K, n, observation_size)` in units of the running standard deviation."""
        x = (observation - self.moments.mean[:, None]) / self.moments.std[:, None]
        return x.clamp(-OBSERVATION_CLIP, OBSERVATION_CLIP)

    def value(self, x: Tensor) -> Tensor:
        """`(K, n)` from normalised observations."""
        return self.critic(x).squeeze(-1)

    def log_prob(self, mean: Tensor, action: Tensor) -> Tensor:
        """`(K, n)`: log density, without the constant that cancels in every ratio."""
        z = (action - mean) * (-self.log_std).exp()
        return -(0.5 * z.square() + self.log_std).sum(dim=-1)

    @torch.no_grad()
    def export(self, k: int) -> Policy:
        """Return candidate `k`'s policy as a module of its own."""
        policy = Policy(self.sizes)
        policy.observation_mean.copy_(self.moments.mean[k])
        policy.observation_std.copy_(self.moments.std[k])
        for layer, weight, bias in zip(policy.layers, self.actor.weights, self.actor.biases, strict=True):
            assert isinstance(layer, nn.Linear)
            layer.weight.copy_(weight[k].T)
            layer.bias.copy_(bias[k, 0])
        return policy.eval()
