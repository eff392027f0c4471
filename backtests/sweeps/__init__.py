"""Parameter sweeps: what is asked (`config`), how it is done (`services`, `work`), what came of it (`selectors`, `summary`)."""
