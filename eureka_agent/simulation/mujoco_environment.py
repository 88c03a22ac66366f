"""A MuJoCo task running in a batch of environments that reset themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.simulation.batched_env import BodyPoses, Episodes, Step
from eureka_agent.simulation.body_poses import body_poses
from eureka_agent.simulation.cpu import CpuEngine
from eureka_agent.simulation.engine import Engine
from eureka_agent.simulation.initial_states import InitialStates
from eureka_agent.simulation.physics import EpisodeState
from eureka_agent.simulation.view import PhysicsView
from eureka_agent.tasks.task import State

if TYPE_CHECKING:
    from eureka_agent.simulation.mujoco_task import MujocoTask


class MujocoEnvironment:
    """`num_envs` environments of `task`; implements `BatchedEnv`, `SupportsKeep`,
    `SupportsSnapshot` and `SupportsPoses`.

    `engine` is by default the CPU's; `Task.make_env` explains the other arguments.
    """

    def __init__(
        self,
        task: MujocoTask,
        num_envs: int,
        *,
        seed: int,
        streams: int | None = None,
        engine: Engine | None = None,
        reads: Iterable[str] | None = None,
    ) -> None:
        self.task = task
        unlisted = [variable.name for variable in task.reward_inputs.unlisted]
        wanted = unlisted if reads is None else [name.removeprefix("prev_") for name in reads]
        self._unlisted = [name for name in unlisted if name in wanted]
        self.num_envs = num_envs
        self._engine = engine or CpuEngine(task.model, num_envs, data_fields=task.data_fields)
        self.device = self._engine.device
        stream = np.arange(num_envs, dtype=np.int64) % (streams or num_envs)
        self._seed = seed
        self._initial = InitialStates(task, seed, stream, np.zeros(num_envs, dtype=np.int64))
        self._length = torch.zeros(num_envs, device=self.device)
        self._fitness = torch.zeros(num_envs, device=self.device)
        self._measures: dict[str, Tensor] = {}
        self._episode_state: EpisodeState = {}
        self.state: State = {}
        """What rewards read now, after any reset; the next step's `prev_<name>`."""
        self.observation_size = 0
        """Number of observation entries."""
        self.critic_observation = torch.empty(num_envs, 0)
        """`(num_envs, critic_size)`: the observation, then the privileged state if there is one."""
        self.reset()

    @property
    def observation(self) -> Tensor:
        """`(num_envs, observation_size)` to act on next."""
        return self._observed(self.critic_observation)

    @property
    def privileged_size(self) -> int:
        """Number of entries that only the value function sees; 0 for most tasks."""
        return self.critic_observation.shape[1] - self.observation_size

    def reset(self) -> Tensor:
        """See `BatchedEnv.reset`."""
        self.state = {}
        self._episode_state = {}
        ids = torch.arange(self.num_envs, device=self.device)
        self.critic_observation = self._reset(ids)
        return self.observation

    def step(self, action: Tensor) -> Step:
        """See `BatchedEnv.step`."""
        task = self.task
        action = action.clamp(-1.0, 1.0)
        physics = self._engine.step(task.control(action, self._episode_state), task.frame_skip)
        episode_state = {**self._episode_state, "action": action}
        self._episode_state = {
            **task.update_episode_state(physics, episode_state),
            "action": action,
        }
        self._length = self._length + 1.0
        state, final = self._read(physics, self._episode_state, self._length * task.dt)
        bad = self._bad(state, final)
        any_bad = bool(bad.any())  # almost never true, so the work for such rows is skipped
        if any_bad:
            state = {name: torch.nan_to_num(value, 0.0, 0.0, 0.0) for name, value in state.items()}
            final = torch.nan_to_num(final, 0.0, 0.0, 0.0)
        terminated = task.terminated(state, self._episode_state) | bad if task.ends_early else bad
        truncated = (self._length >= task.max_episode_steps) & ~terminated
        fitness = task.fitness(state, self._episode_state)
        sparse = task.sparse_reward(state, self._episode_state)
        own = task.own_reward(state, self._episode_state)
        measures = task.measures(state, self._episode_state)
        if any_bad:
            fitness = torch.where(bad, 0.0, fitness)
            sparse = torch.where(bad, 0.0, sparse)
            own = None if own is None else torch.where(bad, 0.0, own)
            measures = {name: torch.where(bad, 0.0, value) for name, value in measures.items()}
        self._add_up(fitness, measures)
        done = (terminated | truncated).nonzero()[:, 0]
        finished = self._finished(done)
        self.state = state
        self.critic_observation = final
        if len(done):
            self.critic_observation = self._reset(done)
        return Step(
            observation=self.observation,
            final_observation=self._observed(final),
            final_critic_observation=final,
            state=state,
            terminated=terminated,
            truncated=truncated,
            fitness=fitness,
            sparse_reward=sparse,
            bad=bad,
            finished=finished,
            own_reward=own,
        )

    def keep(self, ids: Tensor) -> None:
        """See `SupportsKeep.keep`. An environment that occurs twice in `ids` is copied."""
        self.num_envs = len(ids)
        self._engine = self._engine.keep(ids)
        self._initial = self._initial.keep(ids.cpu().numpy())
        self._length = self._length[ids]
        self._fitness = self._fitness[ids]
        self.critic_observation = self.critic_observation[ids]
        self._measures = {name: value[ids] for name, value in self._measures.items()}
        self._episode_state = {name: value[ids] for name, value in self._episode_state.items()}
        self.state = {name: value[ids] for name, value in self.state.items()}

    @property
    def configuration(self) -> Tensor:
        """See `SupportsPoses.configuration`: the joint positions."""
        return self._engine.positions()

    def poses(self, configuration: Tensor) -> BodyPoses:
        """See `SupportsPoses.poses`."""
        return body_poses(self.task.model, configuration)

    def restart(self, ids: Tensor, streams: Tensor) -> None:
        """Restart the environments `ids (n,)` as new ones that draw from `streams (n,)`."""
        self._initial = self._initial.restarted(ids.cpu().numpy(), streams.cpu().numpy())
        self.critic_observation = self._reset(ids)

    def snapshot(self) -> dict[str, Tensor]:
        """See `SupportsSnapshot.snapshot`."""
        return {
            "engine": self._engine.snapshot(),
            "stream": torch.from_numpy(self._initial.stream),
            "episode": torch.from_numpy(self._initial.episode),
            "length": self._length,
            "fitness": self._fitness,
            "observation": self.critic_observation,
            **{f"episode_state.{name}": value for name, value in self._episode_state.items()},
            **{f"state.{name}": value for name, value in self.state.items()},
            **{f"measures.{name}": value for name, value in self._measures.items()},
        }

    def restore(self, snapshot: Mapping[str, Tensor]) -> None:
        """See `SupportsSnapshot.restore`."""
        if len(snapshot["length"]) != self.num_envs:
            raise ValueError(
                f"the snapshot has {len(snapshot['length'])} environments, not {self.num_envs}"
            )
        self._engine.restore(snapshot["engine"])
        stream = snapshot["stream"].numpy().copy()
        episode = snapshot["episode"].numpy().copy()
        self._initial = InitialStates(self.task, self._seed, stream, episode)
        here = {
            name: value.to(self.device)
            for name, value in snapshot.items()
            if name not in ("stream", "episode")
        }
        self._length = here["length"]
        self._fitness = here["fitness"]
        self.critic_observation = here["observation"]

        def group(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): value
                for name, value in here.items()
                if name.startswith(prefix)
            }

        self._episode_state = group("episode_state.")
        self.state = group("state.")
        self._measures = group("measures.")

    def _read(
        self, physics: PhysicsView, episode_state: EpisodeState, episode_time: Tensor
    ) -> tuple[State, Tensor]:
        """Return what rewards read and what the value function sees.

        `episode_state` holds the last action for every task.
        """
        state = self.task.state(physics, episode_state)
        state["action"] = episode_state["action"]
        state["episode_time"] = episode_time
        observation = self.task.observation(state, episode_state)
        privileged = self.task.privileged(state, episode_state)
        self.observation_size = observation.shape[1]
        for name in self._unlisted:
            if name == "obs_buf":
                state[name] = observation
            else:
                state[name] = self.task.unlisted_state(name, physics, episode_state, state)
        critic = (
            observation if privileged is None else self._with_privileged(observation, privileged)
        )
        self._check_sizes(critic.shape[1])
        return state, critic

    def _check_sizes(self, critic_size: int) -> None:
        """Raise SimulationError when the task's observations do not have the size they should."""
        declared = self.task.observation_size
        if declared not in (None, self.observation_size):
            raise SimulationError(
                f"The task {self.task.name!r} says observation_size = {declared}, but its"
                f" observation has {self.observation_size} entries: make them equal."
            )
        before = self.critic_observation.shape[1]
        if before not in (0, critic_size):
            raise SimulationError(
                f"The task {self.task.name!r} gives its critic {critic_size} numbers per"
                f" environment (observation and privileged state), but gave it {before} before:"
                " return the same number in every step."
            )

    def _with_privileged(self, observation: Tensor, privileged: Tensor) -> Tensor:
        """Concatenate both. Raises SimulationError for a privileged state of the wrong form."""
        rows = len(observation)
        if privileged.dim() != 2 or len(privileged) != rows or privileged.dtype != torch.float32:
            raise SimulationError(
                f"The privileged state of the task {self.task.name!r} must be float32 of shape"
                f" ({rows}, n), one row per environment; it is"
                f" {str(privileged.dtype).removeprefix('torch.')} of shape"
                f" {tuple(privileged.shape)}."
            )
        return torch.cat((observation, privileged), dim=1)

    def _observed(self, critic_observation: Tensor) -> Tensor:
        """Return the part of the critic's observation that the policy sees."""
        return critic_observation[:, : self.observation_size]

    def _bad(self, state: State, observation: Tensor) -> Tensor:
        """Return `(num_envs,)` bool: rows that diverged or hold a number that is not finite.

        One sum per tensor usually shows that there are none.
        """
        bad = self._engine.diverged_envs()
        tensors = (observation, *state.values())
        if torch.stack([value.sum() for value in tensors]).sum().isfinite():
            return bad
        for value in tensors:
            bad = bad | ~torch.isfinite(value.reshape(self.num_envs, -1)).all(dim=1)
        return bad

    def _add_up(self, fitness: Tensor, measures: Mapping[str, Tensor]) -> None:
        self._fitness = self._fitness + fitness
        for name, value in measures.items():
            total = self._measures.get(name)
            self._measures[name] = value if total is None else total + value

    def _finished(self, done: Tensor) -> Episodes:
        return Episodes(
            env_ids=done,
            fitness=self._fitness[done],
            length=self._length[done],
            measures={name: value[done] for name, value in self._measures.items()},
        )

    def _reset(self, ids: Tensor) -> Tensor:
        """Start new episodes in the environments `ids`; return all critic observations."""
        initial = self._initial.take(ids.cpu().numpy())
        physics = self._engine.reset(ids, initial)
        self._length = self._length.index_fill(0, ids, 0.0)
        self._fitness = self._fitness.index_fill(0, ids, 0.0)
        self._measures = {
            name: value.index_fill(0, ids, 0.0) for name, value in self._measures.items()
        }
        # Initial states are drawn on the CPU.
        remembered = {name: value.to(self.device) for name, value in initial.episode_state.items()}
        episode_state = dict(self.task.first_episode_state(physics, remembered))
        episode_state["action"] = torch.zeros(len(ids), self.task.action_size, device=self.device)
        state, observation = self._read(
            physics, episode_state, torch.zeros(len(ids), device=self.device)
        )
        if not torch.isfinite(observation).all():
            raise SimulationError(
                f"The task {self.task.name!r} starts with observations that are not finite."
            )
        if len(ids) == self.num_envs:
            self._episode_state = episode_state
            self.state = state
            return observation
        self._episode_state = _with_rows(self._episode_state, ids, episode_state)
        self.state = _with_rows(self.state, ids, state)
        return self.critic_observation.index_copy(0, ids, observation)


def _with_rows(
    whole: Mapping[str, Tensor], ids: Tensor, rows: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return new tensors with the rows `ids` replaced; tensors of earlier steps do not change."""
    return {name: value.index_copy(0, ids, rows[name]) for name, value in whole.items()}
