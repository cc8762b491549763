"""What each kind of plugin must offer, one file a kind, with defaults for what it may leave out."""
