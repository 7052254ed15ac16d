"""The result cache: an answer that is there already is not made again."""
