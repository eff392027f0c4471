"""All tests, as two processes side by side, each with services of its own: `python -m tests.together`.

Tests in one process share Celery's names and a broker, so pytest-xdist is not for them; folders have nothing to do with each other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SECOND = ("operations", "pages")
"""Run in the second process; every other folder in the first."""


def folders() -> tuple[list[str], list[str]]:
    found = sorted(path.name for path in HERE.iterdir() if (path / "__init__.py").exists())
    first = [name for name in found if name not in SECOND]
    return [f"tests/{name}" for name in first], [f"tests/{name}" for name in SECOND]


def main(arguments: list[str]) -> int:
    """The worse of the two exit codes. The second's output follows the first's."""
    first, second = folders()
    if os.environ.get("DATABASE_URL"):  # given services are one broker and one database: no two processes side by side
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=HERE.parent, check=False).returncode
    log = HERE.parent / "var" / "tests-second.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w+") as output:
        command = [sys.executable, "-m", "pytest", *arguments]
        other = subprocess.Popen([*command, *second], stdout=output, stderr=subprocess.STDOUT, cwd=HERE.parent)
        try:
            code = subprocess.run([*command, *first, *loose()], cwd=HERE.parent, check=False).returncode
            code = max(code, other.wait())
        finally:
            other.kill()
        output.seek(0)
        print(output.read(), flush=True)
    return code


def loose() -> list[str]:
    """Test files beside the folders."""
    return [f"tests/{path.name}" for path in sorted(HERE.glob("test_*.py"))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
