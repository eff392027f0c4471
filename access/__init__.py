"""Who may do what: sign-in for API and sockets, tokens, scopes."""
