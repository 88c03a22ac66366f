"""Policies that choose among options: softmax per choice, in batches; written for TorchScript.

`scores` are the outputs of the policy, `(…, options)`, the options of all choices one after the
other (`Task.action_choices`).
"""

import torch
from torch import Tensor


def log_shares(scores: Tensor, choices: list[int]) -> Tensor:
    """Return the logarithm of each option's probability, `(…, options)`."""
    parts = [group.log_softmax(dim=-1) for group in torch.split(scores, choices, dim=-1)]
    return torch.cat(parts, dim=-1)


def entropies(log_probability: Tensor, choices: list[int]) -> Tensor:
    """Return for every option the entropy of its choice, `(…, options)`.

    Args:
        log_probability: What `log_shares` returned.
        choices: The number of options of each choice.
    """
    parts: list[Tensor] = []
    for group in torch.split(log_probability, choices, dim=-1):
        entropy = -(group.exp() * group).sum(dim=-1, keepdim=True)
        parts.append(entropy.expand(group.shape))
    return torch.cat(parts, dim=-1)


def gumbel(noise: Tensor) -> Tensor:
    """Turn standard normal noise into Gumbel noise of the same shape.

    The option with the largest score plus Gumbel noise is a draw from the softmax (Maddison et al.
    2014, https://arxiv.org/abs/1411.0030).
    """
    # -log(-log u) for the uniform u = Phi(noise)
    log_uniform: Tensor = torch.special.log_ndtr(noise)
    return -(-log_uniform).log()
