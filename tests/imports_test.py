"""Imports point down the table of the design only, and nothing imports in a circle."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
# From the ground floor upwards: what a place may import is what stands above it here, and itself.
FLOORS = (
    ("errors",),
    ("files",),
    ("bounded_child",),
    ("bounded",),
    ("provenance", "runs", "compiled"),
    ("presets",),
    ("voxels",),
    ("augmentation", "tensor_packing", "backend", "losses"),
    ("metrics",),
    ("codec",),
    ("datasets",),
    ("data",),
    ("pictures",),
    ("models",),
    ("training",),
    ("recipes",),
    ("evaluation",),
    ("export",),
    ("api",),
    ("report",),
    ("serving",),
    ("commands",),
)
# Places that work without these packages, imports inside of functions included.
WITHOUT = {
    ("errors", "files", "bounded", "bounded_child", "runs", "provenance", "presets", "voxels", "codec"): (
        "keras",
        "tensorflow",
        "jax",
        "sklearn",
    ),
    ("evaluation", "training", "recipes", "models"): ("matplotlib",),
}


def _modules():
    for folder, prefix in (("keras3dgan", ()), ("datasets", ("datasets",)), ("export", ("export",))):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not path.name.endswith("_test.py"):
                yield path, (*prefix, *path.relative_to(ROOT / folder).with_suffix("").parts)


def _place(parts):
    return parts[0] if parts else "__init__"


def _imports(path):
    """Every module that a file imports, wherever it does, but for type checking alone."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and getattr(branch.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in ("keras3dgan", "keras3dgan.commands", "keras3dgan.recipes"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_imports_point_down():
    floor = {place: index for index, places in enumerate(FLOORS) for place in places}
    wrong = []
    for path, parts in _modules():
        place = _place(parts)
        if place in ("__init__", "__main__"):
            continue
        for name in _imports(path):
            if not name.startswith("keras3dgan."):
                continue
            other = name.split(".")[1]
            if other != "__version__" and floor[other] > floor[place]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
            elif floor[other] == floor[place] and other != place and place not in ("voxels",):
                allowed = (place, other) in (("runs", "provenance"),)
                if not allowed:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}, its neighbour")
    assert not wrong, "\n".join(wrong)


def test_nothing_imports_in_a_circle():
    """Between modules, by the imports at the top of files."""
    graph = {}
    for path, parts in _modules():
        name = ".".join(("keras3dgan", *(parts[:-1] if parts[-1] == "__init__" else parts)))
        tree = ast.parse(path.read_text())
        found = set()
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras3dgan"):
                found |= {(f"{node.module}.{alias.name}", node.module) for alias in node.names}
        graph[name] = found
    # `from package import module` imports the module; that the package is there is no circle.
    graph = {name: {one if one in graph else module for one, module in found} for name, found in graph.items()}
    done, active = set(), []

    def visit(name):
        assert name not in active, " -> ".join([*active[active.index(name) :], name])
        if name in done or name not in graph:
            return
        active.append(name)
        for other in graph[name]:
            if other != name:
                visit(other)
        active.pop()
        done.add(name)

    for name in graph:
        visit(name)


def test_what_works_without_heavy_packages():
    wrong = []
    for places, packages in WITHOUT.items():
        for path, parts in _modules():
            if _place(parts) in places:
                wrong += [f"{path.relative_to(ROOT)}: {n}" for n in _imports(path) if n.split(".")[0] in packages]
    assert not wrong, "\n".join(wrong)


def test_no_two_files_of_one_name():
    names = {}
    for path, _ in _modules():
        # A recipe is called as what it trains.
        if path.name not in ("__init__.py", "__main__.py") and path.parent.name != "recipes":
            names.setdefault(path.name, []).append(str(path.relative_to(ROOT)))
    twice = {name: paths for name, paths in names.items() if len(paths) > 1}
    assert not twice


def test_files_and_functions_stay_readable():
    long_files, long_functions = [], []
    for path, _ in _modules():
        text = path.read_text()
        if text.count("\n") > 400:
            long_files.append(str(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 50:
                long_functions.append(f"{path.relative_to(ROOT)}:{node.name} {node.end_lineno - node.lineno + 1}")
    assert not long_files
    assert len(long_functions) <= 10, "\n".join(long_functions)
