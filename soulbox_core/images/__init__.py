"""Language images: what goes into one, and building it without a container registry."""
