"""Records of runs on their way to the database, by way of a file."""
