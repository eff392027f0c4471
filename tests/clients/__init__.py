"""Other people's clients of the two venues, as they ship, against the sandbox exchange. Not part of the suite: they are installed
apart, from the package index. `python -m tests.clients` runs them all."""
