"""How a run or a bot is described: configuration, limits, forms, presets."""
