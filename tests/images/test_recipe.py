"""What goes into an image decides its tag, and nothing else does."""

import re
from pathlib import Path

import pytest
from msgspec import structs

from soulbox_core.errors import ImageError
from soulbox_core.images.recipe import ALWAYS, image_tag, recipe
from soulbox_core.language import PRELOADS, Image, Language
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
        language(image=Image(setup=(("make",),))),
        language(image=Image(setup=(("make", "all"),))),
        language(image=Image(setup=(("make",), ("all",)))),
        language(image=Image(setup=(("all",), ("make",)))),
        language(image=Image(files={"/a": Path(__file__)})),
        language(image=Image(files={"/b": Path(__file__)})),
        language("other"),
    ],
)
def test_each_part_of_the_recipe_changes_the_tag(other: Language) -> None:
    pypi, setup = Image(pypi=("scipy",)), Image(setup=(("true",),))
    tags = {image_tag(each) for each in (language(), language(image=pypi), language(image=setup))}
    assert len({*tags, image_tag(other)}) == 4


def test_a_files_content_and_who_may_run_it_change_the_tag_and_nothing_else_of_it_does(
    tmp_path: Path,
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    tags = []
    for content, mode in (("1", 0o644), ("2", 0o644), ("2", 0o755), ("2", 0o700), ("2", 0o600)):
        one.write_text(content)
        one.chmod(mode)
        tags.append(image_tag(language(image=Image(files={"/file": one}))))
    assert len(set(tags)) == 3
    assert tags[2] == tags[3]
    assert tags[1] == tags[4]
    other.write_text("2")
    assert tags[1] == image_tag(language(image=Image(files={"/file": other})))


def test_preloads_change_the_tag_where_the_setup_takes_them() -> None:
    def tag(word: str, *preloads: str) -> str:
        setup = Image(setup=(("install", word), ("install", PRELOADS)))
        return image_tag(structs.replace(language(image=setup), preloads=preloads))

    assert tag("more", "a", "b") != tag("more", "a")
    assert tag("more", "a", "b") != tag("more", "a b")
    assert recipe(
        structs.replace(language(image=Image(setup=(("i", PRELOADS, "z"),))), preloads=("x", "y"))
    ).setup == (("i", "x", "y", "z"),)


def test_the_hash_is_of_the_recipe_and_not_of_the_languages_name() -> None:
    image = Image(packages=("nodejs",), pypi=("x",), setup=(("true",),))
    one, other = recipe(language("javascript", image)), recipe(language("typescript", image))
    assert one.setup_tag == other.setup_tag
    assert one.tag.rpartition(":")[2] == other.tag.rpartition(":")[2]
    assert one.tag != other.tag
    assert len(one.tags | other.tags) == 5


def test_a_layer_that_adds_nothing_has_no_tag_of_its_own() -> None:
    plain = recipe(language())
    assert plain.setup_tag == plain.pypi_tag == plain.tree_tag
    with_pypi = recipe(language(image=Image(pypi=("numpy",))))
    assert with_pypi.setup_tag == with_pypi.pypi_tag != with_pypi.tree_tag


def test_a_missing_file_of_the_plugin_is_named(tmp_path: Path) -> None:
    image = Image(files={"/file": tmp_path / "absent"})
    with pytest.raises(ImageError, match=r"sample: image.files: .*absent: no such file"):
        image_tag(language(image=image))


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
