"""Generators, itertools, functools, context managers, decorators, descriptors, exception groups."""

import contextlib
import functools
import itertools
import operator
from collections import ChainMap, OrderedDict, deque, namedtuple
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def primes() -> Iterator[int]:
    composites: dict[int, int] = {}
    for n in itertools.count(2):
        step = composites.pop(n, None)
        if step is None:
            composites[n * n] = n
            yield n
        else:
            following = next(m for m in itertools.count(n + step, step) if m not in composites)
            composites[following] = step


def average() -> Generator[float, float, str]:
    total, count = 0.0, 0
    try:
        while True:
            total += yield total / count if count else 0.0
            count += 1
    except GeneratorExit:
        return f"{count} values"


def traced(function: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> T:
        result = function(*args, **kwargs)
        print(f"{function.__name__}{args} = {result}")
        return result

    return wrapper


@contextlib.contextmanager
def tagged(name: str) -> Iterator[str]:
    print(f"<{name}>")
    try:
        yield name
    except ValueError as error:
        print(f"swallowed {error}")
    finally:
        print(f"</{name}>")


class Positive:
    def __set_name__(self, owner: type, name: str) -> None:
        self.name = "_" + name

    def __get__(self, instance: Any, owner: type) -> Any:
        return getattr(instance, self.name)

    def __set__(self, instance: Any, value: float) -> None:
        if value <= 0:
            raise ValueError(f"{self.name[1:]} must be positive, not {value}")
        setattr(instance, self.name, value)


class Box:
    width = Positive()

    def __init__(self, width: float) -> None:
        self.width = width


@traced
def gcd(*numbers: int) -> int:
    return functools.reduce(lambda a, b: a if not b else gcd.__wrapped__(b, a % b), numbers)  # type: ignore[attr-defined]


@functools.singledispatch
def show(value: object) -> str:
    return "object"


@show.register
def _(value: int) -> str:
    return f"int {value}"


@show.register(list)
def _(value: list[Any]) -> str:
    return f"list of {len(value)}"


print(list(itertools.islice(primes(), 10)), next(p for p in primes() if p > 10_000))
print([(key, len(list(group))) for key, group in itertools.groupby("aaabccdd")])
print(list(itertools.accumulate([3, 1, 4, 1, 5], max)), list(itertools.pairwise("abc")))
print(len(list(itertools.combinations(range(10), 4))), list(itertools.product("ab", repeat=2))[2])
print(list(itertools.batched(range(7), 3)), list(itertools.zip_longest("ab", "xyz", fillvalue="-")))
mean = average()
next(mean)
print([mean.send(value) for value in (10, 20, 60)], mean.close())
gcd(48, 36)
with tagged("outer"), tagged("inner"):
    raise ValueError("a value")
try:
    Box(-1)
except ValueError as error:
    print(error, vars(Box(2)))
print(show(3), show([1, 2]), show("x"), functools.partial(operator.sub, 10)(3))
try:
    raise ExceptionGroup(
        "several",
        [KeyError("k"), OSError(2, "no file"), ExceptionGroup("nested", [ValueError("v")])],
    )
except* (KeyError, ValueError) as group:
    print("first:", [type(error).__name__ for error in group.exceptions])
except* OSError as group:
    print("then:", group.exceptions[0].errno)
Point = namedtuple("Point", "x y")
print(Point(1, 2)._replace(y=5), ChainMap({"a": 1}, {"a": 2, "b": 3})["b"], deque(range(5), 3))
cache: OrderedDict[str, int] = OrderedDict(a=1, b=2, c=3)
cache.move_to_end("a")
print(
    list(cache),
    [*map(str.upper, "ab")],
    sorted({"b": 1, "a": 2}.items(), key=operator.itemgetter(1)),
)
