"""Which metrics a kind of sample gets, and when."""
