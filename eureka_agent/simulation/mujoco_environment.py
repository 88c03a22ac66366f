"""A task running in a batch of worlds that reset themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.simulation.batched_env import Episodes, Step
from eureka_agent.simulation.cpu import CpuEngine
from eureka_agent.simulation.engine import Engine
from eureka_agent.simulation.initial_states import InitialStates
from eureka_agent.simulation.physics import EpisodeState
from eureka_agent.simulation.view import PhysicsView
from eureka_agent.tasks.task import State

if TYPE_CHECKING:
    from eureka_agent.simulation.mujoco_task import MujocoTask


class MujocoEnvironment:
    """`num_envs` worlds of `task`.

    `streams` is the number of distinct random streams: world `i` draws like world `i % streams`, so
    candidates that train side by side in slices of `streams` worlds meet the same start states.

    `reads`: the names that rewards read. The state then leaves out the unlisted variables that none
    of them reads; None: it has all.
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
        self._engine = engine or CpuEngine(task.model, num_envs)
        self.device = self._engine.device
        stream = np.arange(num_envs, dtype=np.int64) % (streams or num_envs)
        self._seed, self._starts = (
            seed,
            InitialStates(task, seed, stream, np.zeros(num_envs, dtype=np.int64)),
        )
        self._length = torch.zeros(num_envs, device=self.device)
        self._fitness = torch.zeros(num_envs, device=self.device)
        self._measures: dict[str, Tensor] = {}
        self._episode_state: EpisodeState = {}
        self.state: State = {}
        """What rewards read now, after any reset: what `prev_<name>` is for the next step."""
        self.observation_size = 0
        """Number of observation entries."""
        self.critic_observation = torch.empty(num_envs, 0)
        """`(num_envs, critic_size)`: the observation and, behind it, the task's privileged state if
        it has one."""
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
        """Start a new episode in every world; return the observation `(num_envs,
        observation_size)`."""
        self.state, self._episode_state = {}, {}
        ids = torch.arange(self.num_envs, device=self.device)
        self.critic_observation = self._reset(ids)
        return self.observation

    def step(self, action: Tensor) -> Step:
        """Apply `action (num_envs, action_size)`, clipped to [-1, 1], for one environment step."""
        task = self.task
        action = action.clamp(-1.0, 1.0)
        physics = self._engine.step(task.control(action, self._episode_state), task.frame_skip)
        episode_state = {**self._episode_state, "action": action}
        self._episode_state = {
            **task.update_episode_state(physics, episode_state),
            "action": action,
        }
        self._length = self._length + 1.0
        state, final = self._look(physics, self._episode_state, self._length * task.dt)
        bad = self._bad(state, final)
        any_bad = bool(
            bad.any()
        )  # next to never: the work for such worlds is left out where there are none
        if any_bad:
            state = {name: torch.nan_to_num(value, 0.0, 0.0, 0.0) for name, value in state.items()}
            final = torch.nan_to_num(final, 0.0, 0.0, 0.0)
        terminated = task.terminated(state, self._episode_state) | bad if task.ends_early else bad
        truncated = (self._length >= task.max_episode_steps) & ~terminated
        fitness, sparse = (
            task.fitness(state, self._episode_state),
            task.sparse_reward(state, self._episode_state),
        )
        measures = task.measures(state, self._episode_state)
        if any_bad:
            fitness, sparse = torch.where(bad, 0.0, fitness), torch.where(bad, 0.0, sparse)
            measures = {name: torch.where(bad, 0.0, value) for name, value in measures.items()}
        self._add_up(fitness, measures)
        done = (terminated | truncated).nonzero()[:, 0]
        finished = self._finished(done)
        self.state, self.critic_observation = state, final
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
        )

    def keep(self, ids: Tensor) -> None:
        """Go on with the worlds `ids (n,)` only; one that is there twice becomes two."""
        self.num_envs = len(ids)
        self._engine = self._engine.keep(ids)
        self._starts = self._starts.keep(ids.cpu().numpy())
        self._length, self._fitness = self._length[ids], self._fitness[ids]
        self.critic_observation = self.critic_observation[ids]
        self._measures = {name: value[ids] for name, value in self._measures.items()}
        self._episode_state = {name: value[ids] for name, value in self._episode_state.items()}
        self.state = {name: value[ids] for name, value in self.state.items()}

    def restart(self, ids: Tensor, streams: Tensor) -> None:
        """Start episodes in the worlds `ids (n,)` as if they were new and drew like `streams
        (n,)`."""
        self._starts = self._starts.restarted(ids.cpu().numpy(), streams.cpu().numpy())
        self.critic_observation = self._reset(ids)

    def snapshot(self) -> dict[str, Tensor]:
        """Return everything that goes on from here, for `restore`."""
        groups = {"memory": self._episode_state, "state": self.state, "measures": self._measures}
        return {
            "engine": self._engine.snapshot(),
            "stream": torch.from_numpy(self._starts.stream),
            "episode": torch.from_numpy(self._starts.episode),
            "length": self._length,
            "fitness": self._fitness,
            "observation": self.critic_observation,
            **{
                f"{group}.{name}": value
                for group, values in groups.items()
                for name, value in values.items()
            },
        }

    def restore(self, snapshot: Mapping[str, Tensor]) -> None:
        """Go on from what `snapshot` returned; it must have as many worlds."""
        if len(snapshot["length"]) != self.num_envs:
            raise ValueError(
                f"the snapshot has {len(snapshot['length'])} worlds, not {self.num_envs}"
            )
        self._engine.restore(snapshot["engine"])
        stream, episode = snapshot["stream"].numpy().copy(), snapshot["episode"].numpy().copy()
        self._starts = InitialStates(self.task, self._seed, stream, episode)
        here = {
            name: value.to(self.device)
            for name, value in snapshot.items()
            if name not in ("stream", "episode")
        }
        self._length, self._fitness, self.critic_observation = (
            here["length"],
            here["fitness"],
            here["observation"],
        )

        def group(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): value
                for name, value in here.items()
                if name.startswith(prefix)
            }

        self._episode_state, self.state, self._measures = (
            group("memory."),
            group("state."),
            group("measures."),
        )

    def _look(
        self, physics: PhysicsView, episode_state: EpisodeState, episode_time: Tensor
    ) -> tuple[State, Tensor]:
        """What rewards and what the value function see; the last action is part of the memory of
        every task."""
        state = self.task.state(physics, episode_state)
        state["action"], state["episode_time"] = episode_state["action"], episode_time
        observation, privileged = (
            self.task.observation(state, episode_state),
            self.task.privileged(state, episode_state),
        )
        self.observation_size = observation.shape[1]
        for name in self._unlisted:
            if name == "obs_buf":
                state[name] = observation
            else:
                state[name] = self.task.unlisted_state(name, physics, episode_state, state)
        seen = observation if privileged is None else self._with_privileged(observation, privileged)
        said = self.task.observation_size
        if said not in (None, self.observation_size):
            raise SimulationError(
                f"The task {self.task.name!r} says observation_size = {said}, and its observation "
                f"has {self.observation_size} entries: make them equal."
            )
        before = self.critic_observation.shape[1]
        if before not in (0, seen.shape[1]):
            raise SimulationError(
                f"The task {self.task.name!r} gives its critic {seen.shape[1]} numbers a world"
                f" (observation and privileged state), and gave it {before} before: it must be as"
                " many in every step."
            )
        return state, seen

    def _with_privileged(self, observation: Tensor, privileged: Tensor) -> Tensor:
        """Put both side by side. Raises SimulationError for privileged state of another form."""
        rows = len(observation)
        if privileged.dim() != 2 or len(privileged) != rows or privileged.dtype != torch.float32:
            raise SimulationError(
                f"The privileged state of the task {self.task.name!r} must be float32 of shape"
                f" ({rows}, n), one row a world; it is"
                f" {str(privileged.dtype).removeprefix('torch.')} of shape"
                f" {tuple(privileged.shape)}."
            )
        return torch.cat((observation, privileged), dim=1)

    def _observed(self, critic_observation: Tensor) -> Tensor:
        """What the policy sees of what the value function sees."""
        return critic_observation[:, : self.observation_size]

    def _bad(self, state: State, observation: Tensor) -> Tensor:
        """Which worlds hold a number that is not finite; one sum a tensor finds that there is
        none."""
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
        """Start new episodes in the worlds `ids`; return the critic's observation of all worlds."""
        start = self._starts.take(ids.cpu().numpy())
        physics = self._engine.reset(ids, start)
        self._length = self._length.index_fill(0, ids, 0.0)
        self._fitness = self._fitness.index_fill(0, ids, 0.0)
        self._measures = {
            name: value.index_fill(0, ids, 0.0) for name, value in self._measures.items()
        }
        episode_state = {
            name: value.to(self.device) for name, value in start.episode_state.items()
        }  # drawn on the CPU
        episode_state["action"] = torch.zeros(len(ids), self.task.action_size, device=self.device)
        state, observation = self._look(
            physics, episode_state, torch.zeros(len(ids), device=self.device)
        )
        if not torch.isfinite(observation).all():
            raise SimulationError(
                f"The task {self.task.name!r} starts with observations that are not finite."
            )
        if len(ids) == self.num_envs:
            self._episode_state, self.state = episode_state, state
            return observation
        self._episode_state = _with_rows(self._episode_state, ids, episode_state)
        self.state = _with_rows(self.state, ids, state)
        return self.critic_observation.index_copy(0, ids, observation)


def _with_rows(
    whole: Mapping[str, Tensor], ids: Tensor, rows: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return `whole` with the rows `ids` replaced; new tensors, so earlier steps keep theirs."""
    return {name: value.index_copy(0, ids, rows[name]) for name, value in whole.items()}
