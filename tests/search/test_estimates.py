"""What a reward is worth, from trainings with several seeds."""

from __future__ import annotations

import math
from statistics import mean, stdev

import numpy as np
import pytest
from scipy.special import stdtrit

from eureka_agent.search.estimates import (
    Estimate,
    Noise,
    estimate_group,
    pooled_noise,
    probability_better,
)


def test_noise_is_pooled_over_rewards_that_were_trained_twice() -> None:
    """Squares (1 + 1) + (4 + 0 + 4) = 10 with 1 + 2 degrees of freedom; one training says nothing."""
    noise = pooled_noise([[1.0, 3.0], [2.0, 4.0, 6.0], [100.0]])
    assert noise.freedom == 3
    assert noise.variance == pytest.approx(10 / 3)


def test_without_a_second_training_means_stay_and_intervals_are_infinite() -> None:
    noise = pooled_noise([[1.0], [5.0]])
    found = estimate_group({"a": [1.0], "b": [5.0]}, noise)
    assert (found["a"].value, found["b"].value) == (1.0, 5.0)
    assert math.isinf(found["b"].high)


def test_means_are_shrunken_towards_the_group_by_hand() -> None:
    """Means 0 and 4, centre 2, variance of the means 8. Noise 4: 4 for one training, 1 for four, 2.5
    on average, so that the true means spread by 5.5. Weights 5.5 / 9.5 and 5.5 / 6.5."""
    found = estimate_group({"once": [4.0], "often": [0.0, 0.0, 0.0, 0.0]}, Noise(4.0, 10))
    assert found["once"].value == pytest.approx(2.0 + 2.0 * 5.5 / 9.5)
    assert found["often"].value == pytest.approx(2.0 - 2.0 * 5.5 / 6.5)
    assert found["once"].error > found["often"].error
    assert (found["once"].seeds, found["often"].seeds) == (1, 4)


def test_rewards_that_differ_by_no_more_than_noise_are_worth_the_same() -> None:
    found = estimate_group({"a": [0.9], "b": [1.0], "c": [1.1]}, Noise(1.0, 5))
    assert {round(each.value, 9) for each in found.values()} == {1.0}


def test_probability_of_being_better_grows_with_the_distance() -> None:
    a, b = Estimate(1.0, 0.0, 2.0, 3), Estimate(2.0, 1.0, 3.0, 3)
    assert probability_better(a, a) == pytest.approx(0.5)
    assert probability_better(b, a) == pytest.approx(1.0 - probability_better(a, b))
    assert probability_better(b, a) > 0.9
    unknown = Estimate(9.0, -math.inf, math.inf, 1)
    assert probability_better(unknown, a) == 0.5


def test_the_estimate_of_the_best_of_many_is_right_on_average() -> None:
    """Twelve rewards, training noise as large as their spread. The best single training overstates
    its reward by more than one standard deviation; the best estimate by little."""
    random = np.random.default_rng(0)
    naive, shrunken = [], []
    for _ in range(400):
        worth = random.normal(0.0, 1.0, 12)
        trainings = worth[:, None] + random.normal(0.0, 1.0, (12, 4))
        counts = [4 if k < 4 else 1 for k in np.argsort(np.argsort(-trainings[:, 0]))]
        fitness = {str(k): list(trainings[k, : counts[k]]) for k in range(12)}
        found = estimate_group(fitness, pooled_noise(list(fitness.values())))
        best = max(found, key=lambda name: found[name].value)
        shrunken.append(found[best].value - worth[int(best)])
        first = int(np.argmax(trainings[:, 0]))
        naive.append(trainings[first, 0] - worth[first])
    assert np.mean(naive) > 0.8
    assert abs(np.mean(shrunken)) < 0.25


def test_rewards_that_do_not_differ_share_the_uncertainty_of_their_mean() -> None:
    fitness = {"a": (1.0, 3.0), "b": (3.0, 1.0), "c": (2.5, 1.6)}
    estimates = estimate_group(fitness, pooled_noise(list(fitness.values())))
    values = {name: estimate.value for name, estimate in estimates.items()}
    assert len(set(values.values())) == 1  # the noise explains all differences
    means = [mean(each) for each in fitness.values()]
    error = stdtrit(3, 0.975) * stdev(means) / math.sqrt(3)
    assert estimates["a"].error == pytest.approx(error)
