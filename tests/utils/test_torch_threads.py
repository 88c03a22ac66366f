"""Learning in TorchScript on one core or two has bit-identical results to plain Python."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from eureka_agent.training.ppo.adam import Weights
from eureka_agent.training.ppo.gradients import Batch, UpdateSettings, learn
from eureka_agent.training.ppo.networks import Population
from eureka_agent.utils import torch_threads as threads
from eureka_agent.utils.torch_threads import scripted

Learn = Callable[..., tuple[list[Tensor], Tensor]]
K, N, OBSERVATION, PRIVILEGED, ACTION = 3, 40, 5, 2, 2


def doubled(x: Tensor) -> Tensor:
    return x * 2.0


def population_with_samples() -> tuple[Population, Batch]:
    population = Population(
        K, OBSERVATION, ACTION, (8, 8), std=0.7, seed=0, privileged_size=PRIVILEGED
    )
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(K, N, *shape, generator=generator)

    x, action = drawn(OBSERVATION + PRIVILEGED), drawn(ACTION)
    before = population.log_prob(population.output(x) + 0.3 * drawn(ACTION), action)
    return population, Batch(x, action, before, drawn(), drawn(), drawn())


def learnt(
    function: Learn, samples: Batch, population: Population, side_by_side: bool
) -> list[Tensor]:
    """Return everything that an update of two epochs returns or changes."""
    generator = torch.Generator().manual_seed(0)
    rows = [ids for _ in range(2) for ids in torch.randperm(N, generator=generator).chunk(2)]
    settings = UpdateSettings(
        rows, torch.tensor([1e-2, 1e-3, 1e-2]), steps=3, clip=0.2, entropy=0.01
    )
    first, second = torch.zeros_like(population.flat), torch.ones_like(population.flat)
    parts = map(population.split_policy_value, (population.flat, first, second))
    policy, critic = (Weights(*columns) for columns in zip(*parts, strict=True))
    alive = torch.tensor([True, True, False])
    log_ratios, finite = function(
        population.networks, policy, critic, samples, settings, alive, side_by_side
    )
    return [*log_ratios, finite, population.flat, first, second]


@pytest.mark.parametrize("side_by_side", [False, True])
def test_torchscript_learns_the_same_as_python(side_by_side: bool) -> None:
    population, samples = population_with_samples()
    start = population.flat.clone()
    expected = learnt(learn, samples, population, False)
    for _ in range(4):  # TorchScript profiles the first calls to optimise the later ones
        population, samples = population_with_samples()
        got = learnt(scripted(learn), samples, population, side_by_side)
        assert all(torch.equal(ours, pythons) for ours, pythons in zip(got, expected, strict=True))
    assert got[4].tolist() == [True, True, False]
    for change in population.split_policy_value(population.flat - start):
        assert (change != 0.0).any(dim=1).tolist() == [True, True, False]


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("half", ["target", "advantage"])
def test_an_error_in_either_half_is_raised(side_by_side: bool, half: str) -> None:
    population, samples = population_with_samples()
    short = samples._replace(**{half: torch.zeros(K, 10)})
    with pytest.raises(RuntimeError, match="out of"):
        learnt(scripted(learn), short, population, side_by_side)


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("half", ["target", "action"])
def test_a_candidate_that_diverges_in_either_half_is_stopped(side_by_side: bool, half: str) -> None:
    population, samples = population_with_samples()
    getattr(samples, half)[1] = math.nan
    *_, finite, flat, _, _ = learnt(scripted(learn), samples, population, side_by_side)
    assert finite.tolist() == [True, False, False]
    assert torch.isfinite(flat).all()


def test_a_function_is_scripted_once_without_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(scripted(doubled), torch.jit.ScriptFunction)
    assert scripted(doubled) is scripted(doubled)


def test_a_python_without_torchscript_runs_the_function_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "_NO_TORCHSCRIPT", (3, 0))
    scripted.cache_clear()
    assert scripted(doubled) is doubled
    scripted.cache_clear()
