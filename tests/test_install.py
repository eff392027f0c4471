"""The README's commands install on any day: a release that appears after the locks were written changes nothing."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
LOCKS = PROJECT / "deploy" / "requirements"
NEWER = "9999.0"
"""The release of every package that nobody has locked."""
ENTRY = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(?P<extras>\[[^]]*\])?==(?P<version>[^ ;\\]+)(?P<marker>[^\\]*)(?P<hashes>(?:\\\n +--hash=\S+ ?)+)",
    re.M,
)


def normalise_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of empty wheels: the locked release of each installed package and a newer one, both with its real requirements."""
    root = tmp_path_factory.mktemp("index")
    for distribution in distributions():
        name = normalise_name(distribution.metadata["Name"])
        for version in (distribution.version, NEWER):
            write_wheel(root / name, name, version, distribution)
        links = (f'<a href="{wheel.name}">{wheel.name}</a>' for wheel in sorted((root / name).glob("*.whl")))
        (root / name / "index.html").write_text("".join(links))
    return root


def write_wheel(folder: Path, name: str, version: str, like: Distribution) -> None:
    folder.mkdir(exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in like.metadata.get_all("Provides-Extra") or ()]
    metadata += [f"Requires-Dist: {requirement}" for requirement in like.requires or ()]
    files = {
        "METADATA": "\n".join(metadata) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{stem}.dist-info/{file},sha256={url_hash(text)},{len(text)}" for file, text in files.items()]
    files["RECORD"] = "\n".join([*record, f"{stem}.dist-info/RECORD,,"]) + "\n"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(f"{stem}.dist-info/{file}", text)


def url_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture(scope="session")
def locks(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's locks word by word, but for the hashes of the wheels that the index has."""
    folder = tmp_path_factory.mktemp("requirements")
    for lock in LOCKS.glob("*.txt"):
        (folder / lock.name).write_text(ENTRY.sub(lambda entry: with_hash(entry, index), lock.read_text()))
    return folder


def with_hash(entry: re.Match[str], index: Path) -> str:
    wheels = list((index / normalise_name(entry["name"])).glob(f"*-{entry['version']}-py3-none-any.whl"))
    if not wheels:
        return entry[0]  # for another system
    digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    return f"{entry['name']}{entry['extras'] or ''}=={entry['version']}{entry['marker']}\\\n    --hash=sha256:{digest}"


@pytest.fixture(params=["the pip of this Python's ensurepip", "the newest pip"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A virtual environment as `make` makes one, with the one or the other pip in it."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if request.param == "the newest pip":
        replace_pip(folder)
    return folder


def replace_pip(environment: Path) -> None:
    """By the one that the development lock brings, which is the newest of the day when it was written."""
    [target] = environment.glob("lib/python*/site-packages")
    for old in target.glob("pip*"):
        shutil.rmtree(old)
    for part in pip_folders():
        shutil.copytree(part, target / part.name)


def pip_folders() -> Iterator[Path]:
    pip = next(iter(distributions(name="pip")))
    folder = Path(str(pip.locate_file("")))
    yield folder / "pip"
    yield folder / f"pip-{pip.version}.dist-info"


def test_a_newer_release_of_every_package_breaks_no_install(environment: Path, index: Path, locks: Path) -> None:
    settings = {"PIP_INDEX_URL": index.as_uri(), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    done = subprocess.run(
        ["make", "develop", f"VENV={environment}", f"LOCKS={locks}"],
        cwd=PROJECT, env={"PATH": os.environ["PATH"], **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    installed = {
        path.name.split("-")[1].removesuffix(".dist") for path in environment.glob("lib/python*/site-packages/*.dist-info")
    }
    assert len(installed) > 50
    assert NEWER not in installed
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "--python", environment, "check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_every_entry_of_a_lock_is_read() -> None:
    """Else the test above would leave one out, and say nothing."""
    for lock in LOCKS.glob("*.txt"):
        text = lock.read_text()
        assert len(ENTRY.findall(text)) == len(re.findall(r"^[a-z0-9].*==", text, re.M))
