"""Attempts through torch and numpy: what they can load, save, compile and share."""

from __future__ import annotations

from tests.support.attempts.attempt import bodies

ATTEMPTS = (
    *bodies(
        "torch and numpy: files",
        "planted file and folder",
        {
            "torch.load": "loot = torch.load('$FILE', weights_only=False)",
            "torch.save": "torch.save(height, '$FOLDER/new')\nloot = True",
            "torch.jit.load": "loot = torch.jit.load('$FILE')",
            "torch.jit.save": "torch.jit.save(torch.jit.script(torch.nn.Identity()), '$FOLDER/new')\nloot = True",
            "torch.from_file": "loot = torch.from_file('$FILE', size=1, dtype=torch.uint8)",
            "storage from a file": "loot = torch.UntypedStorage.from_file('$FILE', False, 1)",
            "torch.ops from_file": "loot = torch.ops.aten.from_file('$FILE', False, 1, dtype=torch.uint8)",
            "torch.hub": "loot = torch.hub.load('$FOLDER', 'planted', source='local')",
            "torch.hub folder": "torch.hub.set_dir('$FOLDER/new')\nloot = torch.hub.list('a/b')",
            "torch.package": "from torch.package import PackageImporter\nloot = PackageImporter('$FILE')",
            "torch.export file": "loot = torch.export.load('$FILE')",
            "numpy.load": "import numpy\nloot = numpy.load('$FILE', allow_pickle=True)",
            "numpy.save": "import numpy\nnumpy.save('$FOLDER/new', height.numpy())\nloot = True",
            "numpy.fromfile": "import numpy\nloot = numpy.fromfile('$FILE', 'u1').size",
            "numpy.tofile": "height.numpy().tofile('$FOLDER/new')\nloot = True",
            "numpy.memmap": "import numpy\nloot = numpy.memmap('$FILE', 'u1', 'r').size",
            "numpy.loadtxt": "import numpy\nloot = numpy.loadtxt('$FILE', dtype=str).size",
            "numpy.genfromtxt": "import numpy\nloot = numpy.genfromtxt('$FILE', dtype=str).size",
            "numpy.DataSource": "import numpy\nloot = numpy.lib.npyio.DataSource().open('$FILE')",
        },
    ),
    *bodies(
        "torch and numpy: code and processes",
        "no library, process or connection",
        {
            "torch.ops library": "torch.ops.load_library('libcrypt.so.1')\nloot = True",
            "torch.classes library": "torch.classes.load_library('libcrypt.so.1')\nloot = True",
            "numpy library": "import numpy\nloot = numpy.ctypeslib.load_library('libcrypt.so.1', '/usr/lib')",
            "inline C++": (
                "from torch.utils.cpp_extension import load_inline\nloot = load_inline('x', 'int f() { return 1; }')"
            ),
            "compiled kernel": "loot = (torch.compile(torch.sin)(height) == 4242).any()",
            "shared memory": "height.share_memory_()\nloot = height.is_shared()",
            "TCP store": "import torch.distributed as d\nloot = d.TCPStore('127.0.0.1', $TCP, timeout=d.timedelta(0, 1))",
            "file store": "import torch.distributed as d\nloot = d.FileStore('$FOLDER/new', 1)",
            "process group": (
                "import torch.distributed as d\n"
                "d.init_process_group('gloo', init_method='file://$FOLDER/new', rank=0, world_size=1)\nloot = True"
            ),
            "data loader workers": (
                "from torch.utils.data import DataLoader\nloot = list(DataLoader([1, 2], num_workers=1))"
            ),
            "multiprocessing": "import torch.multiprocessing as m\nm.spawn(print, nprocs=1)\nloot = True",
            "profiler": "torch.profiler.profile(on_trace_ready=torch.profiler.tensorboard_trace_handler('$FOLDER/new'))",
            "interpreted script": "loot = torch.jit.CompilationUnit('def f(x):\\n  return x').f(0)",
            "out-of-bounds view": "loot = height.as_strided((1 << 20,), (1,))[-1] == 4242.5",
            "foreign buffer": (
                "import ctypes\nx = torch.frombuffer((ctypes.c_char * 64).from_address(0), dtype=torch.uint8)\n"
                "loot = x.sum() >= 0"
            ),
        },
    ),
)
