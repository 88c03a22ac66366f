"""Candidates are compared over training seeds, with planned fitness instead of trainings."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest

import eureka_agent as ea
from eureka_agent.config import TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Event, Listener, SeedTrained
from eureka_agent.search.loop import Search
from eureka_agent.search.selection import best_so_far
from eureka_agent.tasks.registry import load_task
from tests.support import run_events
from tests.support.planned_executor import Planned, PlannedExecutor
from tests.support.rewards import upright
from tests.support.runs import StoppedError

BUDGET = TrainingBudget(8, 8 * 16, evaluation_episodes=2)


def weight_of(source: str) -> float:
    """Return the weight that distinguishes a reward of `upright` from others."""
    found = re.search(r"calm = -([\d.]+) \*", source)
    return float(found[1]) if found else 0.0


def planned(
    worth: dict[float, float],
    noise: float,
    lucky: dict[float, float],
    unstable: Collection[float] = (),
) -> Planned:
    """Return the fitness of a training: worth plus noise; `lucky` is added with seed 0 alone.

    An `unstable` reward reaches 110 in a fifth of its trainings, and its worth in the others.
    """

    def fitness(source: str, seed: int) -> float:
        weight = weight_of(source)
        digest = hashlib.sha256(f"{weight} {seed}".encode()).digest()
        random = np.random.default_rng(list(digest[:8]))
        luck = lucky.get(weight, 0.0) if seed < 1_000 else 0.0
        if weight in unstable and random.random() < 0.2:
            return 110.0
        return worth.get(weight, 0.0) + luck + noise * float(random.standard_normal())

    return fitness


def search(
    tmp_path: Path,
    sandbox: Sandbox,
    script: list[list[str]],
    executor: PlannedExecutor,
    *,
    seeds: int,
    seed: int = 0,
    emit: Listener = lambda event: None,
    name: str = "run",
) -> Store:
    """Search with planned trainings; a run that exists is resumed. Returns its store, open."""
    config = ea.SynthesisConfig.of(
        "cartpole",
        budget="quick",
        generations=len(script),
        samples=len(script[0]),
        seeds=seeds,
        seed=seed,
        runs_dir=tmp_path,
        run_name=name,
    )
    folder = RunDir(tmp_path / name)
    folder.path.mkdir(parents=True, exist_ok=True)
    exists = folder.database.exists()
    store = Store.open(folder.database) if exists else Store.create(folder.database, config)
    evaluator = Evaluator(load_task("cartpole"), BUDGET, sandbox, seed=seed, executor=executor)
    try:
        for _ in Search(store, ScriptedProposer(script), evaluator, emit).run():
            pass
    except StoppedError:
        store.close()
        raise
    return store


WORTH = {0.1: 100.0, 0.2: 90.0, 0.3: 80.0, 0.4: 20.0, 0.5: 10.0, 0.6: 0.0, 0.7: 30.0, 0.8: 0.0}
SCRIPT = [[upright(weight) for weight in (0.4, 0.3, 0.5, 0.7)]]
LATER = [upright(weight) for weight in (0.6, 0.2, 0.8, 0.1)]


def counts(store: Store) -> dict[str, int]:
    """Return the number of trainings of each candidate and baseline."""
    found = {o.candidate.name: len(o.fitness_by_seed) for o in store.outcomes()}
    return found | {b.name: len(b.fitness_by_seed) for b in store.baselines()}


def test_half_a_generation_then_two_train_with_further_seeds(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    executor = PlannedExecutor(planned(WORTH, noise=5.0, lucky={}))
    with search(tmp_path, sandbox, [*SCRIPT, LATER], executor, seeds=4) as store:
        assert counts(store) == {
            "g0c0": 1,
            "g0c1": 4,  # 80, the best
            "g0c2": 1,
            "g0c3": 4,  # 30, second
            "g1c0": 1,
            "g1c1": 4,  # 90
            "g1c2": 1,
            "g1c3": 4,  # 100
            "human": 4,
            "sparse": 4,
            "random": 1,
        }
        assert {record.parents[0] for record in store.prompts(1)} == {"g0c1"}
        asked = store.prompts(1)[0].messages[-1].content
        assert "Trained 4 times with different random seeds" in asked
    seeds = Counter(job.seed for job in executor.jobs)
    assert len(seeds) == 4  # the candidates of all generations share them


def test_environment_steps_and_estimates_count_all_seeds(tmp_path: Path, sandbox: Sandbox) -> None:
    """Four with the first seed, two with each of three more, and two references with all four."""
    executor = PlannedExecutor(planned(WORTH, noise=5.0, lucky={}))
    with search(tmp_path, sandbox, SCRIPT, executor, seeds=4) as store:
        trained = [*store.outcomes(), *store.baselines()]
        trainings = 4 + 3 * 2 + 2 * 4
        assert sum(len(job.rewards) for job in executor.jobs) == trainings
        assert sum(each.environment_steps for each in trained) == trainings * run_events.STEPS
        assert store.config.search.trainings_per_generation == 4 + 3 * 2
        best = store.outcomes()[1].overall
        assert best is not None
        assert best.seeds == 4
        assert best.fitness_low < best.fitness < best.fitness_high


def test_one_seed_trains_each_candidate_once(tmp_path: Path, sandbox: Sandbox) -> None:
    executor = PlannedExecutor(planned(WORTH, noise=5.0, lucky={}))
    with search(tmp_path, sandbox, [*SCRIPT, LATER], executor, seeds=1) as store:
        assert set(counts(store).values()) == {1}


def test_the_policy_of_a_candidate_is_its_best_training(tmp_path: Path, sandbox: Sandbox) -> None:
    executor = PlannedExecutor(planned(WORTH, noise=5.0, lucky={}))
    with search(tmp_path, sandbox, SCRIPT, executor, seeds=4) as store:
        best = store.outcomes()[1]
        number = int(np.argmax(best.fitness_by_seed))
        policy = (store.policy(0, 1) or b"").decode()
        assert policy.startswith("g0c1 seed" if number else "g0c1 0")


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "at_least", "at_most"), [(4, 9, 10), (1, 0, 3)])
def test_the_truly_best_of_planted_rewards_is_chosen_with_several_seeds(
    tmp_path: Path, sandbox: Sandbox, seeds: int, at_least: int, at_most: int
) -> None:
    """Ten searches: 0.1, 0.2, 0.3 are good, 0.5 is lucky with the first seed, two are unstable."""
    right = 0
    for seed in range(10):
        executor = PlannedExecutor(planned(WORTH, 4.0, lucky={0.5: 100.0}, unstable=(0.6, 0.8)))
        script = [[upright(weight) for weight in WORTH]]
        with search(
            tmp_path, sandbox, script, executor, seeds=seeds, seed=seed, name=f"run{seed}"
        ) as store:
            best = best_so_far(store.outcomes(), {}, has_fitness=True)
            assert best is not None
            assert best.candidate.reward is not None
            right += weight_of(best.candidate.reward.code) == 0.1
    assert at_least <= right <= at_most


@pytest.mark.parametrize("moment", [0, 2, 4])
def test_a_run_that_was_stopped_between_seeds_ends_as_the_whole_one(
    tmp_path: Path, sandbox: Sandbox, moment: int
) -> None:
    script = [*SCRIPT, LATER]
    whole = PlannedExecutor(planned(WORTH, noise=40.0, lucky={}))
    with search(tmp_path, sandbox, script, whole, seeds=4, name="whole") as store:
        expected = [outcome.fitness_by_seed for outcome in store.outcomes()]
    seen = 0

    def stop(event: Event) -> None:
        nonlocal seen
        if isinstance(event, SeedTrained):
            seen += 1
            if seen == moment + 1:
                raise StoppedError

    cut = PlannedExecutor(planned(WORTH, noise=40.0, lucky={}))
    with pytest.raises(StoppedError):
        search(tmp_path, sandbox, script, cut, seeds=4, emit=stop, name="cut")
    with search(tmp_path, sandbox, script, cut, seeds=4, name="cut") as store:
        assert [outcome.fitness_by_seed for outcome in store.outcomes()] == expected
    assert sum(len(job.rewards) for job in cut.jobs) == sum(len(j.rewards) for j in whole.jobs)


def test_only_candidates_of_the_generation_race_with_further_seeds(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    executor = PlannedExecutor(planned(WORTH, noise=5.0, lucky={}))
    with search(tmp_path, sandbox, [*SCRIPT, LATER], executor, seeds=2):
        pass
    racing = [{r.name for r in job.rewards if r.races} for job in executor.jobs]
    assert racing == [
        set(),  # the references
        {"g0c0", "g0c1", "g0c2", "g0c3"},
        {"g0c1 seed 2", "g0c3 seed 2"},
        {"g1c0", "g1c1", "g1c2", "g1c3"},
        {"g1c1 seed 2", "g1c3 seed 2"},
    ]
