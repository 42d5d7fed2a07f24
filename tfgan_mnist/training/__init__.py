"""The step, the loop that calls it, and what watches and keeps a run."""
