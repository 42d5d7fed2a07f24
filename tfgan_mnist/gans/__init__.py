"""Who plays, and for what: one file a game, and what the games share."""
