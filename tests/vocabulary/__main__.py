"""`python -m tests.vocabulary`: installs the venues' packages apart and says which of their words the table lacks; 1 if any."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.__main__ import install_client
from tests.vocabulary.packages import READERS, find_missing

VERSIONS = {
    "python-binance": "1.0.37",
    "coinbase-advanced-py": "1.8.4",
    "binance-sdk-spot": "13.3.0",
    "ccxt": "4.5.90",
}


def find_packages(python: Path) -> Path:
    told = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True)
    return Path(told.stdout.decode().strip())


def main() -> int:
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, version in VERSIONS.items():
            python = install_client(Path(folder) / name, (f"{name}=={version}",))
            found = list(READERS[name](find_packages(python)))
            missing = find_missing(found)
            print(f"{name} {version}: {len(set(found))} words, {len(missing)} of them not in the table")
            print("".join(f"  {line}\n" for line in missing), end="")
            code = max(code, bool(missing))
    return code


if __name__ == "__main__":
    sys.exit(main())
