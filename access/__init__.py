"""People, rights and API tokens."""
