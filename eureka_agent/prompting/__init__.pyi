from .examples import choose_examples, read_examples
from .prompt import first_prompt, next_prompt, repair_prompt, retry_prompt, write_prompt
from .reflection import reflect

__all__ = [
    "choose_examples",
    "first_prompt",
    "next_prompt",
    "read_examples",
    "reflect",
    "repair_prompt",
    "retry_prompt",
    "write_prompt",
]
