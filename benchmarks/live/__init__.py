"""The live desk under load: a stream worker with 1,000 bots, and the sandbox exchange in a process of its own."""
