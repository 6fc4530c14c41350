"""Public functions say what they take and give, so that `py.typed` tells the truth."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]


def _unannotated(tree):
    """Name and line of each public function and method, nested ones left out, that lacks an annotation."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.Module) or (isinstance(scope, ast.ClassDef) and not scope.name.startswith("_")):
            for node in scope.body:
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not _is_annotated(node):
                    yield node.name, node.lineno


def _is_annotated(function):
    dunder = function.name.startswith("__") and function.name.endswith("__")
    if function.name.startswith("_") and not dunder:
        return True
    taken = function.args
    arguments = [a for a in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs) if a.arg not in ("self", "cls")]
    gives = function.returns is not None or function.name == "__init__"
    return gives and all(a.annotation is not None for a in arguments)


def test_public_functions_are_annotated():
    sources = [
        path
        for folder in ("keras3dgan", "export", "datasets")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.name.endswith("_test.py")
    ]
    assert {path.relative_to(ROOT).parts[0] for path in sources} == {"keras3dgan", "export", "datasets"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sources
        for name, line in _unannotated(ast.parse(path.read_text()))
    ]
    assert not wrong, "\n".join(wrong)


def test_what_counts_as_unannotated():
    source = """
class Public:
    def __init__(self, size): ...
    def __len__(self): ...
    def fine(self, *args, **kwargs) -> int: ...
    def _own(self, x): ...

class _Private:
    def method(self, x): ...

def argument(x, *, y: int) -> int: ...
def result(x: int): ...
def fine(x: int) -> int:
    def nested(y): ...
"""
    assert [name for name, _ in _unannotated(ast.parse(source))] == ["argument", "result", "__init__", "__len__"]
