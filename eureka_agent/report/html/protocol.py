"""How a run searched and trained, in words."""

from __future__ import annotations

from eureka_agent.records import INITIAL, candidate_name
from eureka_agent.report.announcements import where_trainings_start
from eureka_agent.report.formatting import one_line, plural, quantity
from eureka_agent.report.messages import initial_reward_name
from eureka_agent.report.model import RunReport

_START = candidate_name(INITIAL, 0)
_JUDGES = {
    "cli": "A person at the terminal ranked the candidates of each generation.",
    "web": "A person ranked the candidates of each generation in the browser.",
    "synthetic": "A stand-in that knows the fitness ranked the candidates of each generation.",
}


def protocol_sentences(report: RunReport) -> list[str]:
    """Return the run's protocol: what proposes, how each reward is trained, what decides."""
    protocol = report.protocol
    sentences = [
        f"{_proposer(report)} {plural(protocol.generations, 'generation')} of"
        f" {plural(protocol.samples, 'reward function')} (strategy {protocol.strategy}).",
    ]
    if protocol.initial_reward is not None:
        name = initial_reward_name(protocol.initial_reward)
        sentences.append(f"The search starts from {name}.")
    sentences.append(
        f"Each reward trains a policy in {protocol.num_envs:,} environments at once for"
        f" {quantity(protocol.environment_steps)} environment steps (trainer {protocol.trainer},"
        f" on {protocol.device})."
    )
    sentences += where_trainings_start(protocol.init_policy)
    sentences.append(
        f"The trained policy is evaluated in {plural(protocol.evaluation_episodes, 'episode')},"
        " without exploration, from initial states that the training did not use."
    )
    if protocol.seeds > 1:
        sentences.append(
            "The same reward trained with another seed gives another fitness, so the more promising"
            f" a reward is, the more seeds it gets, at most {protocol.seeds}; the references get as"
            " many."
        )
    if protocol.races:
        sentences.append("Candidates that were clearly worse stopped early (--racing).")
    if protocol.final_seeds:
        sentences.append(
            "At the end the best reward and the references are trained again with"
            f" {plural(protocol.final_seeds, 'seed')} that the search did not use."
        )
    if not report.task.has_fitness:
        sentences.append("The instruction has no fitness of its own, so rankings decide.")
    if protocol.feedback in _JUDGES:
        sentences.append(_JUDGES[protocol.feedback])
    if protocol.judge == "code":
        sentences.append("A success measure that was fixed before the search scored the policies.")
    if protocol.judge == "vision":
        model = one_line(str(protocol.judge_model), 80)
        sentences.append(f"The model {model} scored two episodes of each policy by pictures.")
    return sentences


def _proposer(report: RunReport) -> str:
    protocol = report.protocol
    if not protocol.models:
        candidates = [each for name, each in report.candidates.items() if name != _START]
        names = sorted({one_line(each.completion.proposer, 80) for each in candidates})
        if names and names != ["grammar"]:
            return f"The proposer {' and '.join(names)} proposes"
        return "The built-in grammar proposes"
    where = f" at {protocol.base_url}" if protocol.base_url else ""
    models = " and ".join(protocol.models)
    verb, noun = ("proposes", "model") if len(protocol.models) == 1 else ("propose", "models")
    return f"The {noun} {models}{where} {verb}"
