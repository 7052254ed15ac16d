"""The use cases: run a program, list the languages; who may use how much, and who waits."""
