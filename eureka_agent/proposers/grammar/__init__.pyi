from .proposer import GrammarProposer

__all__ = [
    "GrammarProposer",
]
