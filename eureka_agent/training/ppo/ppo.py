"""Proximal policy optimisation for a whole population at once (Schulman et al. 2017).

No sum crosses candidates, so each one learns exactly as it would with any others. A candidate that
trains alone differs by rounding, because torch multiplies a batch of one matrix in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from eureka_agent.config import TrainingBudget
from eureka_agent.training.checkpoint import add_prefix, load_tensors, state_tensors, strip_prefix
from eureka_agent.training.ppo.adam import Weights
from eureka_agent.training.ppo.gradients import Batch, UpdateSettings, learn
from eureka_agent.training.ppo.networks import Population, RunningMoments
from eureka_agent.training.rollout_buffer import Rollout
from eureka_agent.utils.cpu import cpu_count
from eureka_agent.utils.torch_threads import scripted

_CLIP = 0.2
_TARGET_KL = 0.02  # hopper and cartpole: 0.01 learns half as fast, 0.04 is unstable
_RATE_BOUNDS = (1e-5, 1e-2)
_REWARD_CLIP = 10.0


class ReturnScale:
    """Divides rewards by the running standard deviation of their discounted return, per candidate.

    This makes the learning rate independent of a reward's scale (Engstrom et al. 2020, section 3),
    which varies by orders of magnitude between the rewards of language models.
    """

    def __init__(
        self, copies: int, num_envs: int, discount: float, device: torch.device | None = None
    ) -> None:
        self._discount = discount
        self._running = torch.zeros(copies, num_envs, device=device)
        self._moments = RunningMoments(copies, 1, device)

    def __call__(self, rewards: Tensor, done: Tensor) -> Tensor:
        """Return the scaled rewards for rewards and episode ends, `(T, K, N)` each."""
        # G_t = discount * G_{t-1} + r_t, from 0 in each episode
        returns = torch.empty_like(rewards)
        for t in range(len(rewards)):
            self._running = self._running * self._discount + rewards[t]
            returns[t] = self._running
            self._running = torch.where(done[t], 0.0, self._running)
        self._moments.update(returns.transpose(0, 1).flatten(1).unsqueeze(-1))
        return (rewards / self.scale.view(1, -1, 1)).clamp(-_REWARD_CLIP, _REWARD_CLIP)

    @property
    def scale(self) -> Tensor:
        """`(K,)`: what rewards are divided by, always positive."""
        return (self._moments.variance.squeeze(-1) + 1e-8).sqrt()

    def keep(self, rows: Tensor) -> None:
        """Remove all candidates except `rows`."""
        self._running = self._running[rows]
        self._moments.keep(rows)

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next scaled rewards depend on."""
        moments = state_tensors(self._moments, RunningMoments.STATE)
        return {"running": self._running, **add_prefix("moments", moments)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self._running = state["running"].to(self._running.device)
        load_tensors(self._moments, strip_prefix("moments", state))


def generalised_advantages(
    rewards: Tensor, values: Tensor, last_value: Tensor, done: Tensor, discount: float, lam: float
) -> Tensor:
    """Return generalised advantage estimates, `(T, K, N)` (Schulman et al. 2016, eq. 16).

    Args:
        rewards: `(T, K, N)`; those of time-outs include the discounted value of the final state.
        values: `(T, K, N)`, V(s_t).
        last_value: `(K, N)`, the value of the state after the rollout.
        done: `(T, K, N)` bool: the step ended its episode.
        discount: Discount factor.
        lam: Lambda of the estimator.
    """
    advantages = torch.empty_like(rewards)
    next_value, advantage = last_value, torch.zeros_like(last_value)
    for t in reversed(range(len(rewards))):
        continues = (~done[t]).float()
        # TD error: delta_t = r_t + discount * V(s_{t+1}) - V(s_t), without V(s_{t+1}) at an end
        delta = rewards[t] + discount * next_value * continues - values[t]
        # A_t = delta_t + discount * lambda * A_{t+1}, without A_{t+1} at an end
        advantage = delta + discount * lam * continues * advantage
        advantages[t] = advantage
        next_value = values[t]
    return advantages


@dataclass(frozen=True)
class UpdateReport:
    """The outcome of an update, `(K,)` each."""

    kl: Tensor
    """KL divergence of the policy in the last epoch from the one that acted."""
    finite: Tensor
    """False where a gradient was not finite: the candidate's training has diverged."""


class PPO:
    """Updates a population from rollouts."""

    STATE = ("learning_rate", "_first", "_second", "_steps")

    def __init__(self, population: Population, budget: TrainingBudget, seed: int) -> None:
        self.population = population
        self._budget = budget
        flat = population.flat
        self.learning_rate = torch.full((len(flat),), budget.learning_rate, device=flat.device)
        """`(K,)`, adapted to the policy's change (rsl_rl's rule)."""
        self._first = torch.zeros_like(flat)
        self._second = torch.zeros_like(flat)
        self._steps = 0
        self._shuffle = torch.Generator().manual_seed(seed + 1)
        on_cpu = flat.device.type == "cpu"  # a GPU's stream runs everything in sequence anyway
        self._learn = scripted(learn) if on_cpu else learn
        self._parallel = self._learn is not learn and cpu_count() > 1

    def update(
        self,
        rollout: Rollout,
        rewards: Tensor,
        last_observation: Tensor,
        alive: Tensor,
        held: Tensor | None = None,
    ) -> UpdateReport:
        """Learn from one rollout.

        Args:
            rollout: What the population collected.
            rewards: `(T, K, N)`, scaled.
            last_observation: `(K, N, critic_size)`, normalised: where the rollout stopped.
            alive: `(K,)` bool: the candidates that learn.
            held: `(K,)` bool: the candidates of which only the value function learns, and without
                a limit of its change; by default none.

        Returns:
            How far each policy moved, and whether its training diverged.
        """
        samples = self._samples(rollout, rewards, last_observation)
        held = torch.zeros_like(alive) if held is None else held
        # The optimiser keeps its moments of held policies: its first steps would be too large else.
        policy, _ = self.population.split_policy_value(self.population.flat)
        before = policy[held].clone()
        # The limit of a value's change is relative to V_old: with V_old = R it has no effect.
        value = torch.where(held[:, None], samples.target, samples.value)
        log_ratios, finite = self._optimise(samples._replace(value=value), alive)
        policy[held] = before
        kl = torch.where(held, 0.0, _divergence(torch.cat(log_ratios, dim=1)))
        rate = self.learning_rate
        self._adapt(kl)
        self.learning_rate = torch.where(held, rate, self.learning_rate)
        return UpdateReport(kl=kl, finite=finite | ~alive)

    def keep(self, rows: Tensor) -> None:
        """Remove all candidates except `rows`."""
        self.population.keep(rows)
        self.learning_rate = self.learning_rate[rows]
        self._first = self._first[rows]
        self._second = self._second[rows]

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next updates depend on."""
        moments = add_prefix(
            "moments", state_tensors(self.population.moments, RunningMoments.STATE)
        )
        adam = add_prefix("adam", state_tensors(self, PPO.STATE))
        return {
            "flat": self.population.flat,
            "shuffle": self._shuffle.get_state(),
            **moments,
            **adam,
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self.population.load_flat(state["flat"])
        self._shuffle.set_state(state["shuffle"])
        load_tensors(self.population.moments, strip_prefix("moments", state))
        load_tensors(self, strip_prefix("adam", state))

    def _samples(self, rollout: Rollout, rewards: Tensor, last_observation: Tensor) -> Batch:
        """Return the rollout as samples, with advantages and targets of the value function."""
        observations = torch.stack(rollout.observations)
        values = self._values(observations)
        # Time-outs bootstrap: r_t <- r_t + discount * V(final state)
        rewards = rewards + self._budget.discount * self._timeout_values(rollout)
        done = torch.stack(rollout.terminated) | torch.stack(rollout.truncated)
        last_value = self.population.value(last_observation)
        advantages = generalised_advantages(
            rewards, values, last_value, done, self._budget.discount, self._budget.gae_lambda
        )
        target = _candidate_major(advantages + values)  # R_t = A_t + V(s_t)
        advantage = _candidate_major(advantages)
        action = _candidate_major(torch.stack(rollout.actions))
        output = _candidate_major(torch.stack(rollout.outputs))
        # A <- (A - mean(A)) / std(A), per candidate
        std, mean = torch.std_mean(advantage, dim=1, keepdim=True)
        return Batch(
            observation=_candidate_major(observations),
            action=action,
            log_prob=self.population.log_prob(output, action),
            value=_candidate_major(values),
            target=target,
            advantage=(advantage - mean) / (std + 1e-8),
        )

    def _values(self, observations: Tensor) -> Tensor:
        """Return `(T, K, N)` for `(T, K, N, critic_size)`, all steps in one product."""
        steps, candidates, num_envs, _ = observations.shape
        values = self.population.value(_candidate_major(observations))
        return values.view(candidates, steps, num_envs).transpose(0, 1)

    def _timeout_values(self, rollout: Rollout) -> Tensor:
        """`(T, K, N)`: the final observation's value at time-outs, else 0 (Pardo et al. 2018)."""
        values = []
        for truncated, observation in zip(
            rollout.truncated, rollout.final_observations, strict=True
        ):
            if truncated.any():
                value = self.population.value(self.population.normalise(observation))
                values.append(torch.where(truncated, value, 0.0))
            else:
                values.append(torch.zeros(truncated.shape, device=truncated.device))
        return torch.stack(values)

    def _optimise(self, samples: Batch, alive: Tensor) -> tuple[list[Tensor], Tensor]:
        """Take the gradient steps of all epochs.

        Returns the log ratios of the last epoch, `(K, n)` per minibatch, and `(K,)` bool: finite.
        """
        rows, device, budget = samples.target.shape[1], samples.target.device, self._budget
        orders = [
            torch.randperm(rows, generator=self._shuffle).to(device) for _ in range(budget.epochs)
        ]
        minibatches = [ids for order in orders for ids in order.chunk(budget.minibatches)]
        settings = UpdateSettings(
            minibatches, self.learning_rate, self._steps, _CLIP, budget.entropy
        )
        parts = map(
            self.population.split_policy_value, (self.population.flat, self._first, self._second)
        )
        policy, critic = (Weights(*columns) for columns in zip(*parts, strict=True))
        log_ratios, finite = self._learn(
            self.population.networks, policy, critic, samples, settings, alive, self._parallel
        )
        self._steps += len(minibatches)
        return log_ratios[-(len(minibatches) // budget.epochs) :], finite

    def _adapt(self, kl: Tensor) -> None:
        """Adapt the learning rates to keep the KL divergence near its target.

        The rule of Schulman et al. 2017, section 4, applied to the rate. It is applied once per
        update, not per minibatch: the first minibatches of an update always have a KL near 0.
        """
        rate = self.learning_rate
        rate = torch.where(
            kl > 2 * _TARGET_KL, rate / 1.5, torch.where(kl < _TARGET_KL / 2, rate * 1.5, rate)
        )
        self.learning_rate = rate.clamp(*_RATE_BOUNDS)


def _divergence(log_ratio: Tensor) -> Tensor:
    """Return the KL divergence `(K,)` from the policy that acted, for log ratios `(K, n)`.

    It is 0 where it is not finite.
    """
    # Schulman's estimator, never negative: KL = mean(r - 1 - log r)
    return torch.nan_to_num((log_ratio.exp() - 1.0 - log_ratio).mean(dim=1))


def _candidate_major(x: Tensor) -> Tensor:
    """`(T, K, N, …)` to `(K, T N, …)`."""
    return x.transpose(0, 1).flatten(1, 2)
