"""What goes into an image decides its tag, and nothing else does."""

import re

import pytest

from soulbox_core.images.recipe import ALWAYS, image_tag, recipe
from soulbox_core.language import Image, Language
from tests.images.samples import language

REFERENCE = re.compile(r"localhost/soulbox/[a-z0-9]+(-[a-z0-9]+)*:[0-9a-f]{16}")
"""Repository and tag, narrower than the grammar of distribution/reference."""


@pytest.mark.parametrize("name", ["python", "c++", "c+", "objective-c", "f_-", "a" * 32])
def test_tag_of_any_language_name_is_a_valid_reference(name: str) -> None:
    assert REFERENCE.fullmatch(image_tag(language(name)))


def test_order_and_repetition_of_packages_do_not_change_the_tag() -> None:
    one = Image(packages=("gcc", "make"), pypi=("numpy", "pandas"))
    same = Image(packages=("make", "gcc", "make"), pypi=("pandas", "numpy"))
    assert image_tag(language(image=one)) == image_tag(language(image=same))


@pytest.mark.parametrize(
    "other",
    [
        language(image=Image(packages=("gcc",))),
        language(image=Image(pypi=("numpy",))),
        language(image=Image(pypi=("numpy==2.5",))),
        language("other"),
        language("c++"),
        language("c-"),
    ],
)
def test_each_part_of_the_recipe_changes_the_tag(other: Language) -> None:
    tags = {image_tag(language()), image_tag(language("c")), image_tag(other)}
    assert len(tags) == 3


def test_languages_with_the_same_packages_share_a_tree_but_no_image() -> None:
    one = recipe(language("one", Image(packages=("gcc",))))
    two = recipe(language("two", Image(packages=("gcc",), pypi=("numpy",))))
    assert one.tree_tag == two.tree_tag
    assert one.tag != two.tag


def test_the_launcher_finds_its_python_in_every_image() -> None:
    assert "python3" in ALWAYS
    assert set(ALWAYS) <= set(recipe(language()).packages)


def test_a_ready_image_is_used_as_it_is_named() -> None:
    named = Image(reference="registry.example/lua:5.4", packages=("ignored",))
    assert image_tag(language(image=named)) == "registry.example/lua:5.4"
