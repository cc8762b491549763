"""What `cache` can do: a file for each action. Files that begin with `_` are shared."""
