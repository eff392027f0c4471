"""Block chains, read only: a port and one file for each kind of chain. No Django, and no key, seed or signature anywhere."""
