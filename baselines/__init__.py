"""Methods of others, run as cells of the same grid, and the numbers they printed."""
