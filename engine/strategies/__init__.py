"""The built-in strategies, one file each. `registry` finds them, and those that other packages add."""
