"""Gradients as TorchScript, on one core or two: the results of plain Python, to the bit."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor

from eureka_agent.trainer import threads
from eureka_agent.trainer.gradients import Samples, loss_gradients
from eureka_agent.trainer.networks import Population
from eureka_agent.trainer.threads import scripted, worth_a_thread

K, N, OBSERVATION, PRIVILEGED, ACTION = 3, 40, 5, 2, 2


def doubled(x: Tensor) -> Tensor:
    return x * 2.0


def population_with_samples() -> tuple[Population, Samples]:
    population = Population(K, OBSERVATION, ACTION, (8, 8), std=0.7, seed=0, privileged_size=PRIVILEGED)
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(K, N, *shape, generator=generator)

    x, action = drawn(OBSERVATION + PRIVILEGED), drawn(ACTION)
    before = population.log_prob(population.mean_action(x) + 0.3 * drawn(ACTION), action)
    return population, Samples(x, action, before, drawn(), drawn(), drawn())


@pytest.mark.parametrize("side_by_side", [False, True])
def test_gradients_as_torchscript_are_pythons(side_by_side: bool) -> None:
    population, samples = population_with_samples()
    rows = torch.arange(3, 33)
    expected = loss_gradients(population.networks, samples, rows, 0.2, 0.01, False)
    for _ in range(4):  # TorchScript looks at the first calls to make the later ones faster
        got = scripted(loss_gradients)(population.networks, samples, rows, 0.2, 0.01, side_by_side)
        assert torch.equal(got[0], expected[0])
        assert torch.equal(got[1], expected[1])
    assert got[0].shape == population.flat.shape
    assert got[0].abs().amax(dim=1).min() > 0.0


@pytest.mark.parametrize("side_by_side", [False, True])
def test_what_breaks_in_either_half_is_raised(side_by_side: bool) -> None:
    population, samples = population_with_samples()
    for half in ("target", "advantage"):
        short = samples._replace(**{half: torch.zeros(K, N - 30)})
        with pytest.raises((RuntimeError, IndexError), match="out of"):
            scripted(loss_gradients)(population.networks, short, torch.arange(30), 0.2, 0.0, side_by_side)


def test_torchscript_is_made_once_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(scripted(doubled), torch.jit.ScriptFunction)
    assert scripted(doubled) is scripted(doubled)


def test_a_python_that_torchscript_does_not_know_runs_the_function_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_NO_TORCHSCRIPT", (3, 0))
    scripted.cache_clear()
    assert scripted(doubled) is doubled
    scripted.cache_clear()


def test_only_what_is_worth_it_gets_another_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)
    assert worth_a_thread(1e9)
    assert not worth_a_thread(1e3)
    monkeypatch.setattr(threads, "usable_cores", lambda: 1)
    assert not worth_a_thread(1e9)
