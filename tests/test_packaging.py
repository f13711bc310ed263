"""What a wheel holds, where the top-level folders are part of the package by a map."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from checks import python_path

ROOT = Path(__file__).parents[1]
PAGE = "keras_cvae/play/page"
MAPPED = {"keras_cvae.callbacks": "callbacks", "keras_cvae.saved_models": "saved_models"}


def setuptools_table():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def modules(folder):
    """Paths of the Python files of a folder, symbolic links to folders not followed."""
    for place, _, files in os.walk(folder):
        for name in files:
            if name.endswith(".py"):
                yield (Path(place) / name).relative_to(folder)


def packages_on_disk():
    found = {}
    for package, folder in {"keras_cvae": "keras_cvae", **MAPPED}.items():
        for module in modules(ROOT / folder):
            name = ".".join([package, *module.parts[:-1]])
            found.setdefault(name, set()).add(module.name)
    return found


def test_the_list_of_packages_is_what_is_on_disk():
    found = packages_on_disk()
    assert len(found) >= 9
    assert sorted(setuptools_table()["packages"]) == sorted(found)
    for package, names in found.items():
        assert "__init__.py" in names, f"{package} is no package"


def test_the_map_names_the_folders():
    assert setuptools_table()["package-dir"] == {"keras_cvae": "keras_cvae", **MAPPED}


@pytest.mark.parametrize("name", ["callbacks", "saved_models"])
def test_a_checkout_has_relative_links(name):
    link = ROOT / "keras_cvae" / name
    assert link.is_symlink(), f"{link} should be a symbolic link to ../{name}"
    assert os.readlink(link) == f"../{name}"
    assert (link / "__init__.py").samefile(ROOT / name / "__init__.py")
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "--stage", f"keras_cvae/{name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        assert listed.stdout.startswith("120000 "), "the link is not tracked as one"


def test_the_version_is_the_packages(wheel):
    import keras_cvae

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project and project["dynamic"] == ["version"]
    assert wheel.name.split("-")[1] == keras_cvae.__version__
    cited = re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited == [keras_cvae.__version__]
    heading = "Unreleased" if ".dev" in keras_cvae.__version__ else keras_cvae.__version__
    assert f"## [{heading}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from a copy so that nothing is left in the checkout."""
    for needed in ("setuptools", "pip"):
        pytest.importorskip(needed, reason=f"{needed} is needed to build a wheel")
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("keras_cvae", "callbacks", "saved_models"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    built = subprocess.run(
        [*command, "--disable-pip-version-check", "-w", folder, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_every_module_once(wheel):
    expected = {
        f"{package.replace('.', '/')}/{name}"
        for package, names in packages_on_disk().items()
        for name in names
    }
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert len(names) == len(set(names))
    assert {name for name in names if name.endswith(".py")} == expected
    assert "keras_cvae/callbacks/validation_psnr.py" in names
    assert "keras_cvae/saved_models/__init__.py" in names
    assert "keras_cvae/py.typed" in names
    page = {f"keras_cvae/play/page/{path.name}" for path in (ROOT / PAGE).iterdir()}
    assert len(page) > 5 and page <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert tops == {"keras_cvae"}, "tests, scripts or callbacks would be packages of their own"


def test_the_wheels_callbacks_work(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = """
import keras_cvae, keras_cvae.callbacks, keras_cvae.saved_models, sys
assert "keras" not in sys.modules
from keras_cvae.callbacks import ValidationPSNR, KLAnnealing
from keras_cvae import CVAE
KLAnnealing("none", 1)
for module in (keras_cvae, keras_cvae.callbacks, keras_cvae.saved_models):
    print(module.__file__)
"""
    environment = {**os.environ, "PYTHONPATH": python_path(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    places = done.stdout.split()
    assert len(places) == 3
    for place in places:
        assert Path(place).is_relative_to(tmp_path / "site")
