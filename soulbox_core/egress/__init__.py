"""The way out of a cell, to a few hosts and no others."""
