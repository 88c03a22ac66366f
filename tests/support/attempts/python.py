"""Attempts through Python itself: frames, subclasses, formats, decorators, defaults, loaders."""

from __future__ import annotations

from tests.support.attempts.attempt import Attempt, bodies

_WALK = "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close']"

ATTEMPTS = (
    *bodies(
        "Python: introspection",
        "planted file",
        {
            "subclasses": f"loot = {_WALK}[0].__init__.__globals__['open']('$FILE', 0)",
            "subclasses to a shell": f"loot = {_WALK}[0].__init__.__globals__['system']('touch $FOLDER/new') == 0",
            "builtins": "loot = __builtins__['open']('$FILE').read()",
            "__import__": "loot = __import__('os').listdir('$FOLDER')",
            "frame": "import sys\nloot = sys._getframe(1).f_globals['os'].listdir('$FOLDER')",
            "traceback": (
                "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
                "    loot = error.__traceback__.tb_frame.f_back.f_globals['os'].listdir('$FOLDER')"
            ),
            "generator frame": "g = (x for x in [1])\nloot = g.gi_frame.f_builtins['open']('$FILE').read()",
            "function globals": "f = lambda: 0\nloot = f.__globals__['__builtins__']['open']('$FILE').read()",
            "torch's globals": "loot = torch.save.__globals__['os'].listdir('$FOLDER')",
            "torch's modules": "loot = torch.os.listdir('$FOLDER')",
            "bound method": "loot = torch.nn.functional.warnings.sys.modules['os'].listdir('$FOLDER')",
            "loaded modules": "import sys\nloot = sys.modules['os'].listdir('$FOLDER')",
            "garbage collector": (
                "import gc\n"
                "loot = [t['listdir']('$FOLDER') for t in gc.get_objects() if type(t) is dict and 'listdir' in t][0]"
            ),
            "getattr": "loot = getattr(torch, 'o' + 's').listdir('$FOLDER')",
            "str.format": "loot = 'sk-planted-9' in '{0.__class__.__init__.__globals__}'.format(torch.nn.Module())",
            "format specification": "loot = 'sk-' + 'planted-9' in f'{height.__class__.__dict__!s:>9}'",
            "format_map": "loot = 'sk-' + 'planted-9' in '{a.__dict__}'.format_map({'a': torch})",
            "vars": "loot = vars(torch)['os'].listdir('$FOLDER')",
            "code object": (
                "import types\nf = lambda: 0\nf.__code__ = compile('1', 'x', 'eval')\n"
                "loot = types.FunctionType(compile('open(\"$FILE\").read()', 'x', 'eval'), {})()"
            ),
            "class": "class A:\n    x = open('$FILE').read()\nloot = A.x",
            "metaclass": "loot = type('A', (), {'x': open('$FILE').read()}).x",
            "operator": "class A:\n    def __add__(self, other): return open('$FILE').read()\nloot = A() + 1",
            "descriptor walk": "loot = torch.Tensor.__dict__['__module__'].__class__.__base__.__subclasses__()[0]('$FILE') and None",
        },
    ),
    *bodies(
        "Python: running code",
        "planted file",
        {
            "eval": "loot = eval('open(\"$FILE\").read()')",
            "exec": "exec('global loot; loot = open(\"$FILE\").read()')\nloot = open('$FILE')",
            "compile": "loot = eval(compile('open(\"$FILE\").read()', 'x', 'eval'))",
            "pickle": "import pickle\nloot = pickle.loads(b'cposix\\nlistdir\\n(V/\\ntR.')",
            "marshal": "import marshal\nloot = eval(marshal.loads(marshal.dumps(compile('open(\"$FILE\")', 'x', 'eval'))))",
            "import a module": "import sqlite3\nloot = sqlite3.connect('$FOLDER/new')",
            "import by path": "import sys\nsys.path.insert(0, '$FOLDER')\nimport planted\nloot = True",
            "importlib": "import importlib\nloot = importlib.import_module('os').listdir('$FOLDER')",
            "runpy": "import runpy\nloot = runpy.run_path('$FILE')",
            "debugger": "breakpoint()",
            "input": "loot = input()",
            "print": "print('x')",
            "at exit": "import atexit\natexit.register(lambda: open('$FOLDER/new', 'w'))",
            "finaliser": "class A:\n    def __del__(self): open('$FOLDER/new', 'w')\nA()",
            "trace function": "import sys\nsys.settrace(lambda *a: open('$FOLDER/new', 'w'))\nlen('')",
            "signal handler": "import os, signal\nsignal.signal(10, lambda *a: open('$FOLDER/new', 'w'))\nos.kill(os.getpid(), 10)",
            "foreign memory": "import ctypes\nctypes.string_at(0)",
            "x32 interface": "import ctypes\nctypes.CDLL(None).syscall(0x40000000 | 2, b'$FILE', 0)",
        },
    ),
    *(
        Attempt(name, "Python: outside the body", code, "planted file and folder", whole=True)
        for name, code in {
            "decorator": "@open\ndef compute_reward(height): return height, {}",
            "decorator call": "@(lambda f: open('$FOLDER/new', 'w'))\ndef compute_reward(height): return height, {}",
            "default argument": "def compute_reward(height, x=open('$FOLDER/new', 'w')): return height, {}",
            "keyword default": "def compute_reward(height, *, x=open('$FOLDER/new', 'w')): return height, {}",
            "inner default": (
                "def compute_reward(height):\n    f = lambda x=open('$FOLDER/new', 'w'): x\n    return height, {}"
            ),
            "annotation": "def compute_reward(height: open('$FOLDER/new', 'w')): return height, {}",
            "result annotation": "def compute_reward(height) -> open('$FOLDER/new', 'w'): return height, {}",
            "module level": "open('$FOLDER/new', 'w')\ndef compute_reward(height): return height, {}",
            "class body": "class A:\n    open('$FOLDER/new', 'w')\ndef compute_reward(height): return height, {}",
            "star import": "from os import *\nlistdir('$FOLDER')\ndef compute_reward(height): return height, {}",
            "module attribute hook": (
                "def __getattr__(name): return open('$FOLDER/new', 'w')\ndef compute_reward(height): return height, {}"
            ),
            "no function": "compute_reward = __import__('os').listdir",
        }.items()
    ),
)
