"""Pictures of a run: montages, animations and plots."""
