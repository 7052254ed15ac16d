"""What the host must offer: one module per kind of condition, each check a `Finding`."""
