"""Two checkouts against each other, by the CPU that they take for the same work, in interleaved pairs."""
