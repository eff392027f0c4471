"""What `make bench` measures. Figures are ratios within one run; docs/performance.md keeps the last."""
