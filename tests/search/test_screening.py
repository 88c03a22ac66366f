"""Screening before training, and that no prompt contains the human reward; real physics and
sandbox."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import eureka_agent as ea
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Candidate, Completion, Evaluation, Outcome
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator, PreparedCandidate
from eureka_agent.search.events import Event, TrainingStarted
from eureka_agent.search.screening import Screening
from eureka_agent.training.budgets import training_budget
from eureka_agent.utils.serialization import to_json
from tests.support.rewards import NO_CODE, completion, upright

NEARLY_UPRIGHT = completion(
    "upright = 5.0 * torch.cos(dof_pos[:, 1]) - 0.5005 * dof_vel[:, 0].abs()\nreturn upright, {}"
)
"""Five times `upright(0.1)`, except for a thousandth of its second part."""
FALLEN = completion("fallen = dof_pos[:, 1].abs() - 0.5\nreturn fallen, {}")
"""Rewards a leaning pole and costs half a point per step, so an early fall is best."""


def config(tmp_path: Path, **changes: object) -> ea.SynthesisConfig:
    base = ea.SynthesisConfig.of(
        task="cartpole",
        budget="quick",
        generations=2,
        samples=2,
        seeds=1,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        repairs=0,
        runs_dir=tmp_path,
        run_name="run",
    )
    return base.replaced(**changes)


def human_reward() -> str:
    return f"```python\n{ea.find_task('cartpole').human_reward}\n```"


# -------------------- the distance to the human reward
def test_every_trained_reward_has_its_distance_to_the_human_one(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    script = [[human_reward(), NO_CODE], [upright(0.1), human_reward()]]
    result = ea.synthesize(config(tmp_path), proposer=ScriptedProposer(script), sandbox=sandbox)
    human, nothing, other, duplicate_of = result.outcomes
    assert human.distance_to_human == pytest.approx(0.0, abs=1e-4)
    assert nothing.distance_to_human is None
    assert other.distance_to_human is not None
    assert 0.05 < other.distance_to_human < 0.9
    assert duplicate_of.duplicate_of == "g0c0"
    assert duplicate_of.distance_to_human == human.distance_to_human
    # the public function returns the same for the two rewards
    transitions = ea.sample_transitions(result.task)
    assert other.candidate.reward is not None
    assert human.candidate.reward is not None
    with (
        ea.RewardFunction(result.task, other.candidate.reward) as a,
        ea.RewardFunction(result.task, human.candidate.reward) as b,
    ):
        assert ea.reward_distance(a, b, transitions) == pytest.approx(
            other.distance_to_human, abs=1e-5
        )
    summary = json.loads((result.path / "summary.json").read_text())
    assert summary["distance_to_human"] == {
        name: outcome.distance_to_human
        for name, outcome in (("g0c0", human), ("g1c0", other), ("g1c1", duplicate_of))
    }
    assert result.best is not None
    assert summary["best"]["distance_to_human"] == result.best.distance_to_human


def test_no_prompt_contains_the_distance_to_the_human_reward(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs that differ only in the distances have the same prompts, and none contains one."""
    asked: list[list[str]] = []
    for distance in (0.123456, 0.987654):
        monkeypatch.setattr(Screening, "distance_to_human", lambda self, reward, it=distance: it)
        proposer = ScriptedProposer([[upright(0.1), upright(0.2)], [upright(0.3), NO_CODE]])
        settings = config(tmp_path, run_name=f"run-{distance}")
        result = ea.synthesize(settings, proposer=proposer, sandbox=sandbox)
        assert [o.distance_to_human for o in result.outcomes] == [distance] * 3 + [None]
        assert [len(prompt.history) for prompt in proposer.prompts] == [0, 2, 2]
        for prompt in proposer.prompts:
            assert all(o.distance_to_human is None for o in (*prompt.parents, *prompt.history))
        asked.append(
            [message.content for prompt in proposer.prompts for message in prompt.messages]
        )
        asked[-1] += [outcome.reflection or "" for outcome in result.outcomes]
    assert asked[0] == asked[1]
    assert all("human" not in text.casefold() for text in asked[0])


def test_an_instruction_without_fitness_has_no_distance_to_the_human_reward(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    def likes_the_last(question: ea.FeedbackRequest) -> ea.Feedback:
        return ea.Feedback(question.generation, (question.trained[-1].candidate.name,))

    instruction = config(tmp_path, task="wave the pole about", env="cartpole", generations=1)
    proposer = ScriptedProposer([[upright(0.1), upright(0.2)]])
    result = ea.synthesize(instruction, proposer=proposer, judge=likes_the_last, sandbox=sandbox)
    assert [outcome.distance_to_human for outcome in result.outcomes] == [None, None]


# ---------------------------------------------------------------------- novelty
def test_near_duplicates_are_refused_before_they_train(tmp_path: Path, sandbox: Sandbox) -> None:
    trained: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            trained.extend(event.names)

    script = [
        [upright(0.1), NEARLY_UPRIGHT],
        [upright(0.3), NEARLY_UPRIGHT.replace("5.0 *", "5.001 *")],
    ]
    proposer = ScriptedProposer(script)
    result = ea.synthesize(
        config(tmp_path, novelty=0.02), proposer=proposer, sandbox=sandbox, listener=listen
    )
    assert trained == ["g0c0", "g1c0"]
    first, second = (outcome.failure for outcome in result.outcomes if outcome.failure)
    assert (first.stage, second.stage) == ("screening", "screening")
    assert "nearly the same as g0c0" in first.message
    assert "nearly the same as g0c0" in second.message
    assert first.message in proposer.prompts[1].messages[-1].content
    # without the option it trains
    same = ScriptedProposer([[upright(0.1), NEARLY_UPRIGHT]])
    result = ea.synthesize(
        config(tmp_path, run_name="off", generations=1), proposer=same, sandbox=sandbox
    )
    assert [outcome.failure for outcome in result.outcomes] == [None, None]


def test_a_resumed_run_refuses_the_same(tmp_path: Path, sandbox: Sandbox) -> None:
    """Stopped before the second generation trains: the first one's rewards are compared again."""

    class StoppedError(Exception):
        pass

    def stop(event: Event) -> None:
        if isinstance(event, TrainingStarted) and event.names == ("g1c0",):
            raise StoppedError

    script = [[upright(0.1), upright(0.9)], [upright(0.3), NEARLY_UPRIGHT]]
    settings = config(tmp_path, novelty=0.02, run_name="whole")
    whole = ea.synthesize(settings, proposer=ScriptedProposer(script), sandbox=sandbox)
    cut = settings.replaced(run_name="cut")
    with pytest.raises(StoppedError):
        ea.synthesize(cut, proposer=ScriptedProposer(script), listener=stop, sandbox=sandbox)
    with Store.open(tmp_path / "cut" / "run.db") as store:
        # As if it had stopped before g1c1 was screened.
        store._db.execute("DELETE FROM outcomes WHERE generation = 1")
    resumed = ea.resume(tmp_path / "cut", proposer=ScriptedProposer(script), sandbox=sandbox)
    assert [o.failure.stage if o.failure else "" for o in whole.outcomes] == [
        "",
        "",
        "",
        "screening",
    ]
    assert comparable(resumed.outcomes) == comparable(whole.outcomes)


def comparable(outcomes: tuple[Outcome, ...]) -> list[str]:
    """Return outcomes without times."""
    still = [
        replace(o, training=replace(o.training, seconds=0.0)) if o.training else o for o in outcomes
    ]
    return [to_json(outcome) for outcome in still]


# ---------------------------------------------------------------------- the preference check
ZERO = torch.zeros(1)


def feedback(*gains: float) -> ea.Policy:
    """Pushes in proportion to cart position and speed, pole angle and speed."""
    policy = ea.Policy((4, 1))
    policy.load_state_dict(
        {**policy.state_dict(), "layers.0.weight": torch.tensor([gains]), "layers.0.bias": ZERO}
    )
    return policy


def test_rewards_that_rank_failures_first_are_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    """Needs a policy that balances and one that falls; without them nothing is compared."""
    settings = config(tmp_path, preference_check=True)
    evaluator = Evaluator(
        ea.find_task("cartpole"),
        training_budget(settings, ea.find_task("cartpole")),
        sandbox,
        seed=0,
    )
    candidates = [
        Candidate(1, Completion(index, text, "test"), None)
        for index, text in enumerate((FALLEN, upright(0.0)))
    ]
    with Store.create(tmp_path / "run.db", settings) as store, ExitStack() as open_rewards:
        results = [evaluator.prepare(candidate, open_rewards) for candidate in candidates]
        prepared = [each for each in results if isinstance(each, PreparedCandidate)]
        accepted, refused = Screening(store, evaluator).screen(prepared)
        assert (len(accepted), refused) == (2, [])
        policies = {feedback(1.0, 1.0, 10.0, 2.0): 500.0, feedback(-1.0, -1.0, -10.0, -2.0): 6.0}
        for index, (policy, fitness) in enumerate(policies.items()):
            known = Candidate(0, Completion(index, "", "test"), None)
            evaluation = Evaluation(fitness, fitness, fitness, 64, fitness)
            store.save_outcomes([(Outcome(known, evaluation=evaluation), policy.to_bytes())])
        accepted, refused = Screening(store, evaluator).screen(prepared)
    assert [each.candidate.name for each in accepted] == ["g1c1"]
    (fallen,) = refused
    assert fallen.candidate.name == "g1c0"
    assert fallen.failure is not None
    assert fallen.failure.stage == "screening"
    assert "in 0% of the pairs per step and in 0% over whole episodes" in fallen.failure.message


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(UsageError, match="--novelty must lie between 0"):
        ea.SynthesisConfig.of(task="cartpole", novelty=1.0)
    with pytest.raises(UsageError, match="--preference-check needs a fitness"):
        ea.SynthesisConfig.of(task="wave", env="cartpole", preference_check=True)
