from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def storage_folder(settings: Any, tmp_path: Path) -> Path:
    """Each test has a candle store of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"
