"""Models as SavedModels: writing, reading and sampling them."""
