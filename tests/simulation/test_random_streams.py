"""Counter-based random numbers: independent per environment, reproducible, well distributed."""

from __future__ import annotations

import numpy as np
import torch

from eureka_agent.simulation import EnvironmentRandom


def draw(streams: list[int], episodes: list[int], seed: int = 3) -> torch.Tensor:
    random = EnvironmentRandom(seed, np.array(streams), np.array(episodes))
    return torch.cat([random.uniform(-1.0, 1.0, 2), random.normal(1.0, 3)], dim=1)


def test_numbers_do_not_depend_on_which_environments_draw_together() -> None:
    together = draw([0, 1, 2, 3], [5, 5, 7, 5])
    assert torch.equal(draw([2], [7]), together[2:3])
    assert torch.equal(draw([3, 1], [5, 5]), together[[3, 1]])


def test_streams_episodes_and_seeds_give_different_numbers() -> None:
    rows = torch.cat([draw([0], [0]), draw([1], [0]), draw([0], [1]), draw([0], [0], seed=4)])
    assert len({tuple(row.tolist()) for row in rows}) == 4


def test_moments_are_those_of_the_distributions() -> None:
    random = EnvironmentRandom(0, np.arange(20_000), np.zeros(20_000, dtype=np.int64))
    uniform, normal, integers = (
        random.uniform(2.0, 4.0, 1),
        random.normal(0.5, 1),
        random.integers(7),
    )
    # uniform on [2, 4): mean 3, variance 4/12; standard errors at 20 000 draws are below 0.005
    assert abs(float(uniform.mean()) - 3.0) < 0.02
    assert abs(float(uniform.var()) - 1 / 3) < 0.02
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.std()) - 0.5) < 0.02
    assert set(integers.tolist()) == set(range(7))
    assert uniform.dtype == torch.float32
