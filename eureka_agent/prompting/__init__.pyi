from .examples import choose_examples, read_examples
from .prompt import repair_prompt, write_prompt
from .reflection import reflect

__all__ = [
    "choose_examples",
    "read_examples",
    "reflect",
    "repair_prompt",
    "write_prompt",
]
