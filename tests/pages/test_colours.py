"""The tokens keep what they promise: contrast AA in both themes, and up and down apart for everyone."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

TOKENS = (Path(__file__).parents[2] / "static" / "css" / "tokens.css").read_text()
THEMES = ("light", "dark")
GROUNDS = ("bg", "surface", "sunken", "hover", "selected")
INKS = ("ink", "ink-2", "ink-3", "accent", "up", "down", "ok", "warn", "bad")

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def token(name: str, theme: str) -> np.ndarray:
    """The token's linear RGB."""
    found = re.search(rf"--{name}: (?:light-dark\((#\w+), (#\w+)\)|(#\w+)|var\(--([\w-]+)\));", TOKENS)
    assert found, name
    if found[4]:
        return token(found[4], theme)
    text = found[3] or found[1 + THEMES.index(theme)]
    encoded = np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """WCAG 2.2, relative luminance."""
    light, dark = sorted((float(colour @ [0.2126, 0.7152, 0.0722]) for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(linear: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(linear, 0, 1)
    scaled = xyz / [0.95047, 1, 1.08883]
    f = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_readable_on_every_ground(theme: str) -> None:
    faint = {
        (ink, ground): round(found, 2)
        for ink, ground in product(INKS, GROUNDS)
        if (found := contrast(token(ink, theme), token(ground, theme))) < 4.5
    }
    assert faint == {}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("on-accent", "accent-fill"),
        ("on-accent", "accent-fill-hover"),
        ("on-accent", "bad-fill"),
        ("on-accent", "bad-fill-hover"),
        ("accent-strong", "accent-soft"),
        ("ok", "ok-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("idle", "idle-soft"),
        ("rail-ink", "rail"),
        ("rail-ink-on", "rail-on"),
    ],
)
def test_words_on_fills_are_readable(theme: str, ink: str, ground: str) -> None:
    assert contrast(token(ink, theme), token(ground, theme)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_controls_and_chart_lines_stand_out_from_their_ground(theme: str) -> None:
    for name in ("control-line", "accent", *(f"chart-{number}" for number in range(1, 7))):
        assert contrast(token(name, theme), token("surface", theme)) >= 3, name


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", BLINDNESS)
def test_up_and_down_stay_apart_for_the_colour_blind(theme: str, kind: str) -> None:
    seen = [lab(np.array(BLINDNESS[kind]) @ token(name, theme)) for name in ("up", "down")]
    # CIE76: 2.3 is just noticeable; these must be apart at a glance.
    assert np.linalg.norm(seen[0] - seen[1]) > 25
