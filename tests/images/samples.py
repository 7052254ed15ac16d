"""Languages for tests."""

from soulbox_core.language import Image, Language


def language(name: str = "sample", image: Image = Image()) -> Language:  # noqa: B008 - frozen
    """A language of which only the image matters."""
    return Language(
        name=name,
        title=name,
        image=image,
        source_file="main.py",
        run=("python3", "{entrypoint}"),
        version=("python3", "--version"),
        hello="print('Hello, World!')",
    )
