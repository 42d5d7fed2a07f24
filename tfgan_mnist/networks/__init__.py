"""The Keras models that play: one file a family."""
