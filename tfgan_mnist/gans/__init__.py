"""Who plays, and for what."""
