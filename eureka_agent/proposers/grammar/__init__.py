"""Reward search without a model: `GrammarProposer`."""

from eureka_agent.proposers.grammar.proposer import GrammarProposer

__all__ = ["GrammarProposer"]
