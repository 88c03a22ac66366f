"""Converts another library's actor to our `Policy`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from eureka_agent.errors import UsageError
from eureka_agent.training.policy import Activation, Output, Policy

_ACTIVATIONS: dict[type[nn.Module], Activation] = {nn.ELU: "elu", nn.ReLU: "relu", nn.Tanh: "tanh"}


@torch.no_grad()
def export_mlp(
    networks: Iterable[nn.Module],
    *,
    mean: Tensor,
    std: Tensor,
    output: Output = "clip",
    observation_clip: float = math.inf,
    choices: Sequence[int] = (),
) -> Policy:
    """Return the policy that applies `networks` in sequence to `(observation - mean) / std`.

    Together they must be linear layers with one kind of activation in between. An activation after
    the last linear layer is ignored: `output` says what bounds the actions. With `choices` the
    outputs are the scores of options (`Task.action_choices`).

    Raises:
        UsageError: The network has another form.
    """
    leaves = [
        leaf for network in networks for leaf in network.modules() if not list(leaf.children())
    ]
    linear = [leaf for leaf in leaves if isinstance(leaf, nn.Linear)]
    between = leaves[: leaves.index(linear[-1])]
    activations = {type(leaf) for leaf in between if not isinstance(leaf, nn.Linear)}
    if len(activations) > 1 or not activations <= _ACTIVATIONS.keys():
        names = ", ".join(sorted(activation.__name__ for activation in activations))
        raise UsageError(
            f"This network cannot be saved as a policy: it has {names}; use one of ELU, ReLU and"
            " Tanh."
        )
    activation = _ACTIVATIONS[activations.pop()] if activations else "elu"
    sizes = [linear[0].in_features, *(layer.out_features for layer in linear)]
    policy = Policy(sizes, activation, output, observation_clip, choices)
    policy.observation_mean.copy_(mean)
    policy.observation_std.copy_(std)
    for ours, theirs in zip(policy.layers, linear, strict=True):
        ours.load_state_dict(theirs.state_dict())
    return policy.eval()
