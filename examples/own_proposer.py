"""A proposer of your own: it halves and doubles the weight of one term around the best so far.

Run it with `python examples/own_proposer.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import eureka_agent as ea
from eureka_agent.records import Completion, Prompt

REWARD = """
```python
import torch
from torch import Tensor

def compute_reward(dof_pos: Tensor, dof_vel: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    upright = torch.cos(dof_pos[:, 1])
    calm = -{weight} * dof_vel[:, 0].abs()
    return upright + calm, {{"upright": upright, "calm": calm}}
```
"""


class WeightSearch:
    """Proposes one reward with weights around that of the best candidate."""

    name = "weight search"

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield one completion for each sample that is asked for."""
        for index, prompt in prompts.items():
            weight = self._best_weight(prompt) * 2.0 ** (index - 1)
            yield Completion(index, REWARD.format(weight=weight), self.name)

    def _best_weight(self, prompt: Prompt) -> float:
        """Return the weight in the code of the parent; 0.1 in the first generation."""
        source = prompt.parents[0].candidate.reward if prompt.parents else None
        found = re.search(r"-([\d.]+) \* dof_vel", source.code if source else "")
        return float(found[1]) if found else 0.1


def main() -> None:
    config = ea.SynthesisConfig.of(
        task="cartpole", budget="quick", environment_steps=20_000, generations=2, samples=3
    )
    result = ea.synthesize(config, proposer=WeightSearch())
    for outcome in result.outcomes:
        print(f"{outcome.candidate.name}: {outcome.fitness:.1f} steps")


if __name__ == "__main__":
    main()
