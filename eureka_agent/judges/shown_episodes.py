"""Record episodes for a model that looks at them: pictures at some moments, and the state there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.judges.contact_sheet import contact_sheet
from eureka_agent.prompting.judging import ShownEpisode
from eureka_agent.simulation.batched_env import BatchedEnv, Step, SupportsPoses
from eureka_agent.simulation.drawing.framing import framed
from eureka_agent.simulation.drawing.renderer import Renderer
from eureka_agent.simulation.drawing.scene import DrawnScene, drawn_scene
from eureka_agent.simulation.quantities import QuantityReader
from eureka_agent.simulation.rollouts import Act, run_episodes
from eureka_agent.tasks.task import State, Task
from eureka_agent.utils.torch_threads import one_torch_thread

MOMENTS = 16
"""Pictures of an episode."""
_MOST_KEPT = 240
"""Moments of an episode from which these are chosen."""
_MOST_COLUMNS = 8
"""Numbers of the state that the table shows."""
_LEAST_CHANGE = 0.01
"""Range of a number, in its SI unit, below which it counts as constant."""


def scene_of(task: Task) -> DrawnScene:
    """Return what the pictures show. Raises UsageError if the task cannot be drawn."""
    scene = task.scene()
    if scene is None:
        raise UsageError(
            f"--judge vision needs pictures, and the task {task.name} has no scene to draw: use"
            " --judge code or --feedback cli."
        )
    return drawn_scene(scene)


def shown_episodes(
    task: Task,
    policies: Sequence[Act],
    *,
    episodes: int,
    seed: int,
    threads: int | None = None,
) -> list[list[ShownEpisode]]:
    """Run episodes of policies, and return what a model is shown of each.

    Args:
        task: The task, with the episodes of the run.
        policies: What acts; all get the same initial states.
        episodes: Number of episodes of each policy.
        seed: Seed of the initial states.
        threads: Physics threads on the CPU, by default all cores.

    Returns:
        Per policy its episodes.

    Raises:
        SimulationError: The task cannot be simulated.
        UsageError: The task cannot be drawn.
    """
    recorder = _Recorder(task)
    with one_torch_thread():
        numbers = run_episodes(
            task,
            policies,
            episodes=episodes,
            seed=seed,
            threads=threads,
            watch=recorder.watch,
            started=recorder.started,
            reads=(),
        )
    lengths = [[int(length) for length in each["length"].tolist()] for each in numbers]
    return [
        [recorder.shown(k * episodes + e, length) for e, length in enumerate(of_policy)]
        for k, of_policy in enumerate(lengths)
    ]


class _Recorder:
    """Records the first episode of every environment; see `run_episodes` for its methods."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._scene = scene_of(task)
        self._read = QuantityReader(task.reward_inputs)
        self._stride = max(1, -(-task.max_episode_steps // _MOST_KEPT))
        self._env: SupportsPoses | None = None
        self._steps = 0
        self._configurations: list[Tensor] = []
        """`(num_envs, size)` each: every `stride`-th."""
        self._quantities: list[Tensor] = []
        """`(num_envs, quantities)` each, at the same moments."""
        self._goals: list[list[Tensor]] = []
        """`(num_envs, 3)` each, at the same moments."""

    def started(self, env: BatchedEnv) -> None:
        """Note the environments, and record the start."""
        if not isinstance(env, SupportsPoses):
            raise UsageError(
                f"--judge vision needs pictures, and the simulator of {self._task.name} does not"
                " say where bodies are: use --judge code or --feedback cli."
            )
        self._env = env
        self._note()

    def watch(self, before: State, step: Step) -> None:
        """Record a step."""
        del before, step
        self._steps += 1
        if self._steps % self._stride == 0:
            self._note()

    def _note(self) -> None:
        assert self._env is not None
        state = self._env.state
        self._configurations.append(self._env.configuration.cpu())
        self._quantities.append(self._read(state).cpu())
        self._goals.append([place.cpu() for place in self._task.goals(state).values()])

    def shown(self, env: int, length: int) -> ShownEpisode:
        """Return what is shown of the first episode of an environment, of `length` steps."""
        assert self._env is not None
        # After its last step, an environment is in its next episode.
        kept = (length - 1) // self._stride + 1
        rows = torch.stack([each[env] for each in self._configurations[:kept]])
        poses = self._env.poses(rows).poses
        moments = _moments(poses, self._scene.extent_m)
        renderer = Renderer(framed(self._scene, poses[moments]))
        times = [f"{moment * self._stride * self._task.dt:.2f}" for moment in moments]
        pictures = [
            renderer.draw(poses[each], [goal[env].numpy() for goal in self._goals[each]])
            for each in moments
        ]
        values = torch.stack([self._quantities[each][env] for each in moments])
        columns = self._columns(values)
        quantities = [self._read.quantities[each] for each in columns]
        return ShownEpisode(
            image=contact_sheet(pictures, [f"{time} s" for time in times]),
            times=times,
            length_s=length * self._task.dt,
            columns=[f"{each.name} {each.unit}".strip() for each in quantities],
            rows=_table(times, values[:, columns]),
        )

    def _columns(self, values: Tensor) -> list[int]:
        """Return which numbers the table shows: the task's first ones that change.

        Args:
            values: `(moments, quantities)`.
        """
        changes = (values.amax(dim=0) - values.amin(dim=0)).tolist()
        names = [each.name for each in self._read.quantities]
        return [
            index
            for index, change in enumerate(changes)
            if change >= _LEAST_CHANGE and "action" not in names[index]
        ][:_MOST_COLUMNS]


def _moments(poses: NDArray[np.float32], extent_m: float) -> list[int]:
    """Return the moments that are shown: half of them follow the time, half the motion.

    A short movement of a long episode is then not lost between two pictures.

    Args:
        poses: `(moments, bodies, 7)`.
        extent_m: The size of the scene, with which distances are compared.
    """
    count = len(poses)
    if count <= MOMENTS:
        return list(range(count))
    changes = np.abs(np.diff(np.nan_to_num(poses), axis=0))
    # Both signs of a quaternion are the same rotation.
    turned = np.minimum(changes[..., 3:], 2.0 - changes[..., 3:]).sum(axis=(1, 2))
    moved = changes[..., :3].sum(axis=(1, 2)) / extent_m
    motion = np.append(0.0, (turned + moved).cumsum())
    share = np.linspace(0.0, 1.0, count) + motion / max(float(motion[-1]), 1e-9)
    wanted = np.linspace(share[0], share[-1], MOMENTS)
    return sorted({int(each) for each in np.searchsorted(share, wanted - 1e-9).clip(0, count - 1)})


def _table(times: Sequence[str], values: Tensor) -> list[list[str]]:
    """Return the time and the numbers of each moment; `values`: `(moments, columns)`."""
    rows = [[f"{value:.3g}" for value in row] for row in values.tolist()]
    return [[time, *row] for time, row in zip(times, rows, strict=True)]
