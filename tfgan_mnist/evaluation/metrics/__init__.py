"""Samples, or their features, to numbers; one file a metric."""
