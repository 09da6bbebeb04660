"""Tests of the package as a whole: its names, its imports, and what it must not do."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import keras_videolstm as kvl

LIBRARY = Path(kvl.__file__).parent
TOOLS = LIBRARY.parent / "tools"
MODULES = sorted(LIBRARY.rglob("*.py"))
# Reads a checkpoint of PyTorch through an unpickler that knows numbers and dicts alone.
RESTRICTED_UNPICKLER = TOOLS / "convert_efficientnet_lite0.py"
SOURCES = MODULES + sorted(set(TOOLS.rglob("*.py")) - {RESTRICTED_UNPICKLER})


def printed(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_no_heavy_library():
    code = """
import sys, keras_videolstm
print([name for name in ("tensorflow", "keras", "av", "matplotlib") if name in sys.modules])
print("VideoLSTM" in dir(keras_videolstm), bool(keras_videolstm.__version__))
"""
    assert printed(code).split("\n")[:2] == ["[]", "True True"]


def test_help_of_the_command_does_not_wait_for_tensorflow():
    code = """
import sys
from keras_videolstm_tools.main import main
try:
    main(["--help"])
except SystemExit as stop:
    assert stop.code == 0
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""
    assert printed(code).splitlines()[-1] == "[]"


def test_every_public_name_is_there_and_an_unknown_one_is_not():
    for name in kvl.__all__:
        assert getattr(kvl, name) is not None
    assert set(kvl._HOMES) | {"__version__"} == set(kvl.__all__)
    assert dir(kvl) == kvl.__all__
    with pytest.raises(AttributeError, match="no attribute 'VideoLTSM'"):
        _ = kvl.VideoLTSM


def imports_of(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, wherever it stands in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# Folder or module of the library, and what nothing in it may import.
FORBIDDEN = {
    "": ("keras_videolstm_tools",),
    "exporting": ("keras_videolstm.data", "keras_videolstm.training", "keras_videolstm.percepts"),
    "layers": ("keras_videolstm.models", "keras_videolstm.data", "keras_videolstm.training"),
    "models": (
        "keras_videolstm.data",
        "keras_videolstm.training",
        "keras_videolstm.percepts",
        "keras_videolstm.checkpoints",
        "keras_videolstm.visualization",
    ),
    "objectives": (
        "keras_videolstm.models",
        "keras_videolstm.layers",
        "keras_videolstm.data",
        "keras_videolstm.training",
    ),
    "data": (
        "keras_videolstm.models",
        "keras_videolstm.layers",
        "keras_videolstm.training",
        "keras_videolstm.percepts",
        "keras_videolstm.checkpoints",
        "keras_videolstm.visualization",
    ),
    "percepts": (
        "keras_videolstm.models",
        "keras_videolstm.layers",
        "keras_videolstm.training",
        "keras_videolstm.checkpoints",
        "keras_videolstm.visualization",
    ),
    "training": ("keras_videolstm.visualization", "click"),
    "visualization": (
        "keras",
        "tensorflow",
        "keras_videolstm.models",
        "keras_videolstm.layers",
        "keras_videolstm.data",
        "keras_videolstm.training",
        "keras_videolstm.percepts",
    ),
}


@pytest.mark.parametrize("part", FORBIDDEN)
def test_arrows_between_the_parts_point_one_way(part):
    paths = [path for path in MODULES if (LIBRARY / part) in path.parents]
    assert paths
    wrong = [
        f"{path.relative_to(LIBRARY)} imports {name}"
        for path in paths
        for name in imports_of(path)
        if any(name == bad or name.startswith(f"{bad}.") for bad in FORBIDDEN[part])
    ]
    assert wrong == []


def test_nothing_unpickles_runs_a_shell_or_loads_code():
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            wrong += [f"{path.name}:{node.lineno}"] if is_dangerous(node) else []
    assert wrong == []


def is_dangerous(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in ("pickle", "shelve") for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in ("pickle", "shelve")
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
        return True
    if isinstance(node.func, ast.Attribute) and node.func.attr == "enable_unsafe_deserialization":
        return True
    given = {word.arg: word.value for word in node.keywords}
    for key, bad in (("safe_mode", False), ("shell", True), ("allow_pickle", True)):
        value = given.get(key)
        if isinstance(value, ast.Constant) and value.value is bad:
            return True
    return False


def test_the_guard_against_dangerous_calls_sees_them():
    for line in (
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "load_model(p, safe_mode=False)",
        "run('ls', shell=True)",
        "np.load(p, allow_pickle=True)",
    ):
        assert any(is_dangerous(node) for node in ast.walk(ast.parse(line))), line


def test_every_array_file_is_read_without_pickle():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.load":
                assert "allow_pickle=False" in ast.unparse(node), path
