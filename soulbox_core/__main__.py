"""`python3 -m soulbox_core` is `soulbox`."""

from soulbox_core.cli import main

if __name__ == "__main__":
    main()
