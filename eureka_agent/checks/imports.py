"""Which modules and functions a source's import statements name, and what dotted names mean."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from eureka_agent.checks.findings import Findings
from eureka_agent.checks.names import MODULES, TYPING_MODULES

_ALLOWED = "a reward may import torch, math and typing; write other helpers as functions of your own"


@dataclass
class Imports:
    """Local names that imports bind, each with the dotted path it stands for (`F` → `torch.nn.functional`)."""

    paths: dict[str, str] = field(default_factory=dict)

    def module(self, name: str) -> str | None:
        """Return the dotted module that the local `name` stands for, or None."""
        path = self.paths.get(name)
        return path if path in MODULES else None

    def bind(self, name: str, path: str, where: ast.AST, findings: Findings) -> None:
        """Bind `name`; one name for two things is a finding."""
        if self.paths.setdefault(name, path) != path:
            findings.add(where, f"{name!r} is imported twice, as {self.paths[name]} and as {path}")


def read_imports(tree: ast.Module, findings: Findings) -> Imports:
    """Return what the imports anywhere in `tree` bind; those that are not allowed become findings."""
    imports = Imports()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                _import(alias, node, imports, findings)
        elif isinstance(node, ast.ImportFrom):
            _import_from(node, imports, findings)
    return imports


def _import(alias: ast.alias, node: ast.Import, imports: Imports, findings: Findings) -> None:
    if alias.name in TYPING_MODULES:
        return
    if alias.name not in MODULES:
        findings.add(node, f"'import {alias.name}' is not allowed: {_ALLOWED}")
    elif alias.asname:
        imports.bind(alias.asname, alias.name, node, findings)
    else:
        package = alias.name.split(".")[0]
        imports.bind(package, package, node, findings)


def _import_from(node: ast.ImportFrom, imports: Imports, findings: Findings) -> None:
    module = node.module or ""
    if module in TYPING_MODULES and not node.level:
        return
    for alias in node.names:
        path = f"{module}.{alias.name}"
        if not node.level and (path in MODULES or alias.name in MODULES.get(module, ())):
            imports.bind(alias.asname or alias.name, path, node, findings)
        else:
            findings.add(node, f"'from {module or '.'} import {alias.name}' is not allowed: {_ALLOWED}")
