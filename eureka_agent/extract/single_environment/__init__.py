"""From a reward of one environment in numpy (Text2Reward's form) to one of all, in torch.

`form` recognises such a reward and rewrites its module, `state` finds the state that it reads,
`statements` turns branches into `torch.where`, `expressions` and `functions` keep a row per
environment.
"""

from eureka_agent.extract.single_environment.form import translated

__all__ = ["translated"]
