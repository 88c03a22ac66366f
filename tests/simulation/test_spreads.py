"""Percentiles over episodes, and which numbers of the state are shown."""

from __future__ import annotations

import torch

from eureka_agent.simulation.quantities import Quantity
from eureka_agent.simulation.spreads import MOMENTS, most_changing, spread

EPISODES = 40
TIME = torch.linspace(0.0, 1.0, MOMENTS, dtype=torch.float64)[:, None].expand(-1, EPISODES)
EACH = torch.linspace(-1.0, 1.0, EPISODES, dtype=torch.float64).expand(MOMENTS, -1)


def noise(seed: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(MOMENTS, EPISODES, generator=random, dtype=torch.float64)


def test_spread_has_the_percentiles_at_start_middle_and_end() -> None:
    found = spread(Quantity("x", "m"), TIME + EACH)
    assert (found.name, found.unit) == ("x", "m")
    assert [round(value, 6) for value in found.start] == [-0.9, 0.0, 0.9]
    assert [round(value, 6) for value in found.middle] == [-0.4, 0.5, 1.4]
    assert [round(value, 6) for value in found.end] == [0.1, 1.0, 1.9]


def test_single_episode_has_its_own_values_as_percentiles() -> None:
    assert spread(Quantity("x", "m"), TIME[:, :1]).end == (1.0, 1.0, 1.0)


def test_numbers_that_change_most_come_first() -> None:
    values = torch.stack([noise(0), 10.0 * TIME + 0.1 * noise(1), TIME**4 + noise(2)], dim=2)
    assert most_changing(values, 3)[0] == 1
    assert len(most_changing(values, 1)) == 1


def test_constant_tiny_repeated_and_broken_numbers_are_left_out() -> None:
    broken = TIME.clone()
    broken[3, 5] = float("nan")
    columns = [torch.zeros_like(TIME), 0.005 * TIME, broken, TIME, 3.0 - 2.0 * TIME]
    assert most_changing(torch.stack(columns, dim=2), 10) == [3]


def test_steady_number_is_left_out() -> None:
    assert most_changing(EACH[:, :, None], 10) == []


def test_no_number_gives_none() -> None:
    assert most_changing(torch.zeros(MOMENTS, 3, 0, dtype=torch.float64), 10) == []
