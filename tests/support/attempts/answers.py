"""Attempts with the answer: wrong numbers, wrong shapes, forged messages and floods of them."""

from __future__ import annotations

from tests.support.attempts.attempt import bodies

_SEND = (
    "import os, json\n"
    "def send(message):\n"
    "    data = json.dumps(message).encode()\n"
    "    os.write(3, len(data).to_bytes(4, 'big') + data)\n"
)

_FORGED = {
    "no length": "os.write(3, b'x')",
    "huge length": "os.write(3, b'\\xff\\xff\\xff\\xff')",
    "not JSON": "os.write(3, b'\\x00\\x00\\x00\\x03abc')",
    "not an object": "os.write(3, b'\\x00\\x00\\x00\\x02[]')",
    "deep JSON": "os.write(3, (60000).to_bytes(4, 'big') + b'[' * 60000)",
    "NaN for a number": "os.write(3, (12).to_bytes(4, 'big') + b'{\"names\":NaN}'[:12])",
    "huge number": "send({'raised': 'E', 'message': 'm', 'line': 10 ** 4000})",
    "names that are not text": "send({'names': [1, None]})",
    "a name twice": "send({'names': ['a', 'a']})",
    "too many names": "send({'names': [str(i) for i in range(99)]})",
    "error that is not text": "send({'raised': {'a': [1]}, 'message': 3, 'line': 'x'})",
    "line that does not exist": "send({'raised': 'E', 'message': 'm', 'line': 10 ** 9})",
    "layers": "send({'layers': {}, 'acts': {}, 'pid': 1, 'status': 0})",
    "length without message": "os.write(3, b'\\x00\\x00\\x10\\x00')",
    "flood": "while True: os.write(3, b'\\x00\\x00\\x00\\x02{}' * 10000)",
}

ATTEMPTS = (
    *bodies(
        "answers: values",
        "the trainer sees finite numbers only",
        {
            "NaN": "height = height * torch.nan",
            "infinity": "height = height * torch.inf",
            "huge": "height = torch.full_like(height, 3e38)",
            "too large for float32": "height = torch.full_like(height.double(), 1e300)",
            "complex": "height = height * 1j",
            "integers": "height = height.long()",
            "booleans": "height = height > 0",
            "sparse": "height = height.to_sparse()",
            "quantised": "height = torch.quantize_per_tensor(height, 0.1, 0, torch.quint8)",
            "without numbers": "height = torch.empty(len(height), device='meta')",
            "wrong shape": "height = height[:, None]",
            "too few rows": "height = height[:-1]",
            "not a tensor": "return [1.0], {}",
            "not a pair": "return height",
            "nothing": "return None",
            "subclass": (
                "class T(torch.Tensor):\n"
                "    @classmethod\n"
                "    def __torch_function__(cls, f, t, a=(), k=None): raise SystemExit(0)\n"
                "return height.as_subclass(T), {}"
            ),
            "lying dictionary": (
                "class D(dict):\n    def __len__(self): return 1 << 40\n    def __iter__(self): return iter(['a'] * 99)\n"
                "return height, D()"
            ),
            "lying shape": "class T(torch.Tensor):\n    shape = (8,)\nreturn torch.zeros(3).as_subclass(T), {}",
            "many components": "return height, {str(i): height for i in range(10000)}",
            "long name": "return height, {'x' * 10 ** 7: height}",
            "name with control characters": "return height, {'\\x1b[31m': height}",
            "name that is not text": "return height, {1: height}",
            "NaN in a component": "return height, {'a': height * torch.nan}",
            "long error": "raise ValueError('x' * 10 ** 8)",
            "error with control characters": "raise ValueError('\\x1b[2J\\x00\\u202e')",
            "error that cannot be printed": (
                "class E(Exception):\n    def __str__(self): raise SystemExit(0)\nraise E()"
            ),
            "leave": "raise SystemExit(0)",
            "interrupt": "raise KeyboardInterrupt",
            "exit": "import os\nos._exit(0)",
        },
    ),
    *bodies(
        "answers: forged messages",
        "the trusted process goes on",
        {name: f"{_SEND}{code}\nos._exit(0)" for name, code in _FORGED.items()},
    ),
    *bodies(
        "answers: forged messages",
        "the next call",
        {
            "two answers for one call": f"{_SEND}send({{'names': []}})",
            "endless answer": "import os\nos.write(3, (1 << 17).to_bytes(4, 'big'))\nwhile True: os.write(3, b' ')",
        },
    ),
)
