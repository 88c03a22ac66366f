"""The best reward of a run as one Python file for Gymnasium, without this package."""

from __future__ import annotations

import ast

from eureka_agent.errors import UsageError
from eureka_agent.records import RewardSource
from eureka_agent.report.formatting import fitness, interval_over, number, one_line
from eureka_agent.report.model import RunReport
from eureka_agent.simulation.gymnasium import GymnasiumReading, model_quantities
from eureka_agent.simulation.gymnasium import reward_wrapper as wrapper_module
from eureka_agent.simulation.gymnasium.reading import module_source
from eureka_agent.tasks.task import StateSpec

_USE = """\
How to use it (it needs gymnasium, mujoco for MuJoCo's environments, numpy and torch):

    from {module} import make_env
    PPO("MlpPolicy", make_env()).learn(1_000_000)      # stable-baselines3

`wrap(env)` puts the reward into an environment that you made. Wrappers that change observations or
actions go around it. `info["own_reward"]` is the environment's own reward,
`info["reward_components"]` holds the components of this one.
"""
_PAY = '''\
ENVIRONMENT = {environment!r}
ENVIRONMENT_KWARGS = {kwargs!r}
CONSTANTS = {constants!r}
"""Numbers of the task that the reward reads."""
READS = {reads!r}
"""The state that the reward reads."""
DT_S = {dt_s!r}
"""Seconds per step."""


def pay(state):
    """Return the reward `(rows,)` and its components from the state `(rows, *shape)` by name."""
    tensors = {{name: torch.tensor(state[name]) for name in READS}}
    with torch.no_grad():
        result = compute_reward(**tensors, **CONSTANTS)
    total, components = result if isinstance(result, (tuple, list)) else (result, {{}})
    rows = total.shape[0]
    named = {{
        name: torch.as_tensor(value, dtype=torch.float32).expand(rows).numpy()
        for name, value in components.items()
    }}
    return total.float().numpy(), named


def wrap(env):
    """Return `env`, an environment of the id `ENVIRONMENT`, with this reward."""
    return RewardWrapper(env, pay, read_state, DT_S)


def make_env(**kwargs):
    """Return a new environment with this reward; `kwargs` go to `gymnasium.make`."""
    return wrap(gymnasium.make(ENVIRONMENT, **{{**ENVIRONMENT_KWARGS, **kwargs}}))
'''
_TYPES = frozenset({"Any", "Callable", "Mapping", "TypeAlias"})
"""Names for annotations, which are never evaluated."""
_OWN = "a definition in "
_IMPORTS = "import torch\n"


def gymnasium_file(
    report: RunReport, reward: RewardSource, reading: GymnasiumReading, spec: StateSpec
) -> str:
    """Return the file's content: the reward as it was found, the state that it reads, a wrapper.

    Args:
        report: The run.
        reward: Its best reward, which has passed the checks.
        reading: How the state is read in the task's environment.
        spec: What rewards of the task may read.

    Returns:
        Python source.

    Raises:
        UsageError: The reward reads what the environment does not have, or has a name that the
            file needs.
    """
    reads = tuple(name for name in reward.parameters if name in spec.shapes)
    constants = {name: spec.constants[name] for name in reward.parameters if name not in reads}
    pay = _PAY.format(
        environment=reading.environment,
        kwargs=dict(reading.kwargs),
        constants=constants,
        reads=reads,
        dt_s=reading.dt_s,
    )
    state = reading.source(reads)
    if reading.needs_model(reads):
        state = f"{module_source(model_quantities)}\n\n{state}"
    own = [module_source(wrapper_module), state, pay]
    _demand_free_names(reward.code, [_IMPORTS, *own])
    sections = [
        ("The reward, as it was found", _without_future(reward.code)),
        ("The wrapper", own[0]),
        ("The state that the reward reads", state),
        ("The environment", f"{_IMPORTS}\n\n{pay}"),
    ]
    titled = [f"# {'-' * 70} {title}\n{text.strip()}\n" for title, text in sections]
    head = f'"""{_docstring(report)}"""\n\nfrom __future__ import annotations\n'
    return "\n\n".join([head, *titled])


def _docstring(report: RunReport) -> str:
    best = report.result.best
    assert best is not None, "there is a reward to write"
    lines = [
        f"Reward {best.candidate.name} of the run {report.name}.",
        "",
        f"Task: {report.task.name}.",
        f"Instruction: {report.task.instruction}",
    ]
    if best.overall is not None and report.task.has_fitness:
        lines += [
            f"Fitness in {report.task.fitness_unit}: {fitness(best.overall)}, the mean over"
            f" {interval_over(best.overall)} and its 95 % interval.",
        ]
    if (expected := report.result.expected) is not None and report.task.has_fitness:
        bounds = f"{number(expected.low)} to {number(expected.high)}"
        lines += [f"Expected of a new training: {number(expected.value)} ({bounds})."]
    text = "\n".join(_harmless(line) for line in lines)
    return f"{text}\n\n{_USE.format(module='this_file')}"


def _harmless(line: str) -> str:
    """Return a line that cannot end the docstring; names and instructions come from elsewhere."""
    return one_line(line).replace("\\", "/").replace('"', "'")


def _without_future(code: str) -> str:
    """Return a module without its `__future__` imports, which the head of the file has."""
    lines = code.splitlines()
    for node in ast.parse(code).body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = [""] * (end - node.lineno + 1)
    return "\n".join(lines).strip("\n") + "\n"


def _demand_free_names(code: str, own: list[str]) -> None:
    """Raise UsageError if the reward's module gives a name of the file another meaning."""
    ours: dict[str, str] = {}
    for text in own:
        ours |= _bound(text)
    theirs = _bound(code)
    clash = sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])
    if clash := [name for name in clash if name not in _TYPES]:
        raise UsageError(
            f"The reward defines {', '.join(clash)}, which the file for Gymnasium defines, too: use"
            " --format torch."
        )


def _bound(code: str) -> dict[str, str]:
    """Return the names that a module binds, with the path that an import gives them."""
    names: dict[str, str] = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names[node.name] = _OWN + str(id(code))
        elif isinstance(node, ast.Import):
            names |= {one.asname or one.name.partition(".")[0]: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            stored = [child for child in ast.walk(node) if isinstance(child, ast.Name)]
            names |= {child.id: _OWN + str(id(code)) for child in stored if _is_stored(child)}
    return names


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
