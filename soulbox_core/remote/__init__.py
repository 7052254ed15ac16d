"""What is on another host, and may be gone."""
