"""Remove from a reward's tree what does not run: imports, decorators and annotations."""

from __future__ import annotations

import ast


def strip(tree: ast.Module) -> ast.Module:
    """Return `tree` (changed in place) without imports, decorators and annotations.

    `Imports` provides what the imports bind, so the code that runs never imports anything and never
    evaluates an annotation. `@torch.jit.script` is removed because it would compile Python that
    runs the same without it.
    """
    _Strip().visit(tree)
    return ast.fix_missing_locations(tree)


class _Strip(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.decorator_list, node.returns = [], None
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)
