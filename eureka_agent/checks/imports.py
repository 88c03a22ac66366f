"""Read a source's import statements: which modules and functions each local name stands for."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from eureka_agent.checks.findings import CheckFindings
from eureka_agent.checks.names import MODULES, TYPING_MODULES

_ALLOWED = (
    "a reward may import torch, math and typing; write other helpers as functions of your own"
)


@dataclass
class Imports:
    """Local names that imports bind, with their dotted paths (`F` → `torch.nn.functional`)."""

    paths: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    """Names from `typing` and similar modules; only annotations may use them."""
    refused: set[str] = field(default_factory=set)
    """Names that refused imports would bind."""

    def module(self, name: str) -> str | None:
        """Return the dotted module that the local `name` stands for, or None."""
        path = self.paths.get(name)
        return path if path in MODULES else None

    def bind(self, name: str, path: str, where: ast.AST, findings: CheckFindings) -> None:
        """Bind `name`; the same name for two different things is a finding."""
        self._demand_free(self.types | self.paths, name, path, where, findings)
        self.paths.setdefault(name, path)

    def bind_type(self, name: str, path: str, where: ast.AST, findings: CheckFindings) -> None:
        """Bind a name that only annotations may use."""
        self._demand_free(self.paths, name, path, where, findings)
        self.types.setdefault(name, path)

    def _demand_free(
        self,
        taken: Mapping[str, str],
        name: str,
        path: str,
        where: ast.AST,
        findings: CheckFindings,
    ) -> None:
        if name.startswith("__"):
            findings.add(where, f"the name {name!r} is not allowed for an import")
        elif (known := taken.get(name, path)) != path:
            findings.add(where, f"{name!r} is imported twice, as {known} and as {path}")


def is_listed(module: str, name: str) -> bool:
    """Whether the allow-list has `from module import name`."""
    return f"{module}.{name}" in MODULES or name in MODULES.get(module, ())


def read_imports(tree: ast.Module, findings: CheckFindings) -> Imports:
    """Return what all imports in `tree` bind; those that are not allowed become findings."""
    imports = Imports()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                _import(alias, node, imports, findings)
        elif isinstance(node, ast.ImportFrom):
            _import_from(node, imports, findings)
    return imports


def _import(alias: ast.alias, node: ast.Import, imports: Imports, findings: CheckFindings) -> None:
    name = alias.asname or alias.name.split(".")[0]
    if alias.name in TYPING_MODULES:
        imports.bind_type(name, alias.name if alias.asname else name, node, findings)
    elif alias.name not in MODULES:
        imports.refused.add(name)
        findings.add(node, f"'import {alias.name}' is not allowed: {_ALLOWED}")
    else:
        imports.bind(name, alias.name if alias.asname else name, node, findings)


def _import_from(node: ast.ImportFrom, imports: Imports, findings: CheckFindings) -> None:
    module = node.module or ""
    for alias in node.names:
        path, name = f"{module}.{alias.name}", alias.asname or alias.name
        if module in TYPING_MODULES and not node.level:
            imports.bind_type(name, path, node, findings)
        elif not node.level and is_listed(module, alias.name):
            imports.bind(name, path, node, findings)
        else:
            imports.refused.add(name)
            findings.add(
                node, f"'from {module or '.'} import {alias.name}' is not allowed: {_ALLOWED}"
            )
