"""The shape of the code base: its measures, the drawing of its rooms, and the tests that keep both. Standard library only."""
