"""The packaged recipes: one flagfile each."""
