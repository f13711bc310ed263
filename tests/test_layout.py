"""The floors of the package: imports run downward, and there is no circle."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "keras_cvae"

# From the ground up. A room is a folder or a loose module of the package; a room may import from
# the floors below it alone, inside functions too. `scripts` and tests are above all of them.
FLOORS = (
    {"errors", "progress", "saved_models", "signals"},
    {"files", "images", "schedules", "backend"},
    {"runs", "metrics", "losses", "predictor", "data", "video", "layers", "distribution"},
    {"architectures", "plots", "cli", "poses"},
    {"model", "evaluation"},
    {"callbacks", "inference", "published", "report"},
    {"training", "exporting"},
    {"play"},
)
LOOSE_AT_MOST = 12
ROOMS_AT_MOST = 29
SPEAK_OF_FLAGS = {"cli", "training"}  # all others speak of arguments and settings
FOREIGN_FLAGS = {
    *("--porcelain", "--no-deps", "--quiet", "--only-binary", "--dest"),
    *("--python-version", "--implementation", "--abi", "--platform"),
    "--xla_backend_optimization_level=1",
    "--xla_cpu_use_fusion_emitters=false",
    "--nproc-per-node",
}  # git's, pip's, XLA's and torchrun's


def room_of(module):
    """The room of a dotted module name of the package, `None` of the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def sources():
    """Every module of the package: dict dotted name -> path."""
    found = {}
    for path in _walk(PACKAGE):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def _walk(folder):
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            yield from _walk(path)
        elif path.suffix == ".py":
            yield path


@cache
def imports():
    """The modules of the package that each of them imports, anywhere in its text."""
    modules = sources()
    return {name: _imported(path, modules) - {name} for name, path in modules.items()}


def _imported(path, modules):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            while name not in modules and "." in name:  # a class or function of the module
                name = name.rpartition(".")[0]
            if name in modules and name != "keras_cvae":
                found.add(name)
    return found


def test_each_room_has_a_floor():
    rooms = {room_of(name) for name in sources()} - {None}
    assert rooms == set().union(*FLOORS)
    assert len(rooms) <= ROOMS_AT_MOST and len(FLOORS) <= 8


def test_few_loose_modules():
    loose = [path for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    assert len(loose) <= LOOSE_AT_MOST


def test_no_import_runs_up_or_sideways():
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    wrong = [
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in others
        if room_of(name) not in (None, room_of(other))
        and floor[room_of(other)] >= floor[room_of(name)]
    ]
    assert not wrong


def test_no_circle_of_modules():
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path, name])
        if name in done:
            return
        path.append(name)
        for other in sorted(imports()[name]):
            visit(other)
        done.add(path.pop())

    for name in imports():
        visit(name)


def test_backends_are_imported_where_they_belong():
    """A backend is imported in `backend`, and in the modules that are about one format."""
    allowed = {
        "keras_cvae.exporting.writers",
        "keras_cvae.published.loading",
        "keras_cvae.training.fit",
    }
    for name, path in sources().items():
        if room_of(name) == "backend" or name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            heads = {each.partition(".")[0] for each in names}
            assert not heads & {"torch", "tensorflow", "jax"}, name


def test_flags_are_named_by_cli_and_training_alone():
    for name, path in sources().items():
        if room_of(name) in SPEAK_OF_FLAGS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.replace("`", " ").replace("(", " ").split()
                flags = [word for word in words if word.startswith("--") and word[2:3].isalpha()]
                assert set(flags) <= FOREIGN_FLAGS, name
