"""Strategies, indicators, the simulator and its figures, the live trader. No Django.

numba looks only at a function's own file when it decides whether a compiled copy is still good, but our kernels are inlined from
many. So compiled code is kept in a folder named by a hash of all of the engine's sources: a changed line means a new folder.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba import config

HERE = Path(__file__).parent


def source_files() -> list[Path]:
    """What decides what a strategy's signals become, and how fast: the engine without the strategies."""
    return [path for path in sorted(HERE.rglob("*.py")) if "strategies" not in path.relative_to(HERE).parts]


def sources_digest() -> str:
    """The first 16 digits of the SHA-256 of the engine's source files, in order of their names."""
    digest = hashlib.sha256()
    for path in source_files():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


chosen = getattr(config, "CACHE_DIR", "") or HERE / "__pycache__"
setattr(config, "CACHE_DIR", str(Path(chosen) / f"kernels-{sources_digest()}"))  # noqa: B010  (numba's settings are not typed)
