"""Discrete actions: each is one or several choices, and every option has an entry of its own.

Written for TorchScript, since saved policies can be scripted.
"""

import torch
from torch import Tensor


def one_hot(scores: Tensor, choices: list[int]) -> Tensor:
    """Take the option with the highest score in every choice.

    Args:
        scores: `(…, options)`, the options of all choices one after the other.
        choices: The number of options of each choice.

    Returns:
        `(…, options)`: 1 for the options that are taken, 0 for the others.
    """
    parts: list[Tensor] = []
    for group in torch.split(scores, choices, dim=-1):
        taken = torch.zeros_like(group)
        parts.append(taken.scatter(-1, group.argmax(dim=-1, keepdim=True), 1.0))
    return torch.cat(parts, dim=-1)


def options_taken(action: Tensor, choices: list[int]) -> Tensor:
    """Return the number of the option that is taken in every choice.

    Args:
        action: `(…, options)`; see `one_hot`.
        choices: The number of options of each choice.

    Returns:
        `(…, len(choices))` int64.
    """
    groups = torch.split(action, choices, dim=-1)
    return torch.stack([group.argmax(dim=-1) for group in groups], dim=-1)
