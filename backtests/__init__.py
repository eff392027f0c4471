"""Runs and sweeps, what speaks against their results, playback and comparison."""
