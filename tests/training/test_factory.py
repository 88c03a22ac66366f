"""The trainer that a run uses, and the messages when it cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from eureka_agent.cli.main import synthesize_main
from eureka_agent.config import SynthesisConfig, TrainerName
from eureka_agent.errors import UsageError
from eureka_agent.training import PopulationTrainer, make_trainer


def test_population_is_the_default() -> None:
    trainer = make_trainer(SynthesisConfig.of("cartpole").training.trainer_name)
    assert isinstance(trainer, PopulationTrainer)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"trainer": "sb3:SCA"},
            "no algorithm 'SCA' .* Did you mean 'SAC'.* Known are A2C, DDPG, PPO",
        ),
        ({"trainer": "sb3:dqn"}, "DQN chooses among a few actions"),
        ({"trainer": "rsl_rl:TD3"}, "--trainer rsl_rl is written as rsl_rl, got 'rsl_rl:TD3'"),
        ({"trainer": "sb4"}, "must be population, sb3.:ALGORITHM. or rsl_rl, got 'sb4'"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        SynthesisConfig.of(task="cartpole", **settings)


@pytest.mark.parametrize(("name", "package"), [("sb3", "stable_baselines3"), ("rsl_rl", "rsl_rl")])
def test_missing_package_is_named(
    name: TrainerName,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.delitem(sys.modules, f"eureka_agent.training.{name}", raising=False)
    for module in [module for module in sys.modules if module.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    # What Python does for `import` of a package that is not there.
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UsageError, match=rf'needs {package}.*: pip install "eureka-agent\[{name}\]"'
    ):
        make_trainer(name)
    assert (
        synthesize_main(["--task", "cartpole", "--trainer", name, "--runs-dir", str(tmp_path)]) == 2
    )
    assert "pip install" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
