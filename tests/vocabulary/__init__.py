"""The venues' own words: the page that is written from the table, what official packages carry, and what the sandbox says."""
