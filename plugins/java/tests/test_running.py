"""A program in a parked virtual machine is like one that java has started."""

from collections.abc import Mapping
from typing import Any

import pytest

from .service import COLD, MAIN, main, printed, run

pytestmark = pytest.mark.integration

WAYS: Mapping[str, Mapping[str, Any]] = {"parked": {}, "cold": COLD}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Further options of a request."""
    return WAYS[request.param]


def test_an_uncaught_exception_shows_the_program_alone(way: Mapping[str, Any]) -> None:
    code = """\
public class Main {
    static void fail(int n) {
        if (n == 0) throw new IllegalStateException("no", new RuntimeException("why"));
        fail(n - 1);
    }
    public static void main(String[] args) { fail(1); }
}
"""
    answer = run(code, **way)
    assert (answer["status"], answer["exit_code"]) == ("failed", 1)
    assert answer["stderr"] == (
        'Exception in thread "main" java.lang.IllegalStateException: no\n'
        "\tat Main.fail(Main.java:3)\n"
        "\tat Main.fail(Main.java:4)\n"
        "\tat Main.main(Main.java:6)\n"
        "Caused by: java.lang.RuntimeException: why\n"
        "\t... 3 more\n"
    )


def test_a_failing_initializer_shows_the_program_alone(way: Mapping[str, Any]) -> None:
    code = "class Main { static int x = 1 / 0;\n static void main() {} }"
    assert run(code, **way)["stderr"] == (
        'Exception in thread "main" java.lang.ExceptionInInitializerError\n'
        "Caused by: java.lang.ArithmeticException: / by zero\n"
        "\tat Main.<clinit>(Main.java:1)\n"
    )


def test_nothing_of_ours_is_on_the_stack(way: Mapping[str, Any]) -> None:
    code = main(
        "for (var frame : Thread.currentThread().getStackTrace())"
        " System.out.println(frame.getMethodName());\n"
        'new Exception("x").printStackTrace(System.out);\n'
        "StackWalker.getInstance().forEach(f -> System.out.println(f.getMethodName()));"
    )
    assert printed(code, **way) == (
        "getStackTrace\nmain\njava.lang.Exception: x\n\tat Main.main(Main.java:6)\nmain\n"
    )


def test_threads_and_pools_are_numbered_from_the_beginning(way: Mapping[str, Any]) -> None:
    code = main(
        "System.out.println(Thread.currentThread());\n"
        "Thread thread = new Thread(() -> {}); System.out.println(thread.getName());\n"
        "var pool = java.util.concurrent.Executors.newSingleThreadExecutor();\n"
        "pool.submit(() -> System.out.println(Thread.currentThread().getName())).get();\n"
        "pool.shutdown();\n"
        "System.out.println(java.util.concurrent.CompletableFuture.supplyAsync("
        "() -> Thread.currentThread().getName()).get());"
    )
    assert printed(code, **way) == (
        "Thread[#3,main,5,main]\nThread-0\npool-1-thread-1\nForkJoinPool.commonPool-worker-1\n"
    )


def test_the_program_is_in_the_system_class_loader(way: Mapping[str, Any]) -> None:
    code = main(
        "var loader = Main.class.getClassLoader();\n"
        "System.out.println(loader.getClass().getSimpleName()\n"
        "    + (loader == ClassLoader.getSystemClassLoader())\n"
        "    + (loader == Thread.currentThread().getContextClassLoader())\n"
        "    + (loader == com.google.gson.Gson.class.getClassLoader())\n"
        '    + System.getProperty("user.dir")\n'
        '    + System.getProperty("java.class.path").contains(":/box:"));'
    )
    assert printed(code, **way) == "AppClassLoadertruetruetrue/boxtrue\n"


def test_variables_reach_the_program_and_its_children(way: Mapping[str, Any]) -> None:
    code = main(
        'System.out.println(System.getenv("GREETING") + System.getenv().get("HOME"));\n'
        'var child = new ProcessBuilder("sh", "-c", "echo $GREETING $HOME").start();\n'
        "child.getInputStream().transferTo(System.out);"
    )
    assert printed(code, env={"GREETING": "hü"}, **way) == "hü/box\nhü /box\n"


def test_the_end_waits_for_threads_and_hooks(way: Mapping[str, Any]) -> None:
    code = main(
        "Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println(4)));\n"
        "new Thread(() -> { try { Thread.sleep(100); } catch (InterruptedException e) {}\n"
        "    System.out.println(3); }).start();\n"
        'java.io.File file = new java.io.File("gone"); file.createNewFile(); file.deleteOnExit();\n'
        "Thread daemon = new Thread(() -> { while (true) {} });\n"
        "daemon.setDaemon(true); daemon.start();\n"
        "System.out.println(2);"
    )
    answer = run(code, outputs=["gone"], **way)
    assert (answer["status"], answer["stdout"]) == ("ok", "2\n3\n4\n")
    assert answer["outputs_missing"] == ["gone"]


@pytest.mark.parametrize(
    ("body", "code", "stdout"),
    [
        ("System.exit(0);", 0, "hook\n"),
        ("System.exit(7);", 7, "hook\n"),
        ("Runtime.getRuntime().halt(5);", 5, ""),
        ("new Thread(() -> System.exit(6)).start();", 6, "hook\n"),
        ("throw new Error();", 1, "hook\n"),
        ("new Thread(() -> { throw new Error(); }).start();", 0, "hook\n"),
        (
            "Thread.setDefaultUncaughtExceptionHandler((t, e) -> System.out.println(t.getName()));"
            " throw new Error();",
            1,
            "main\nhook\n",
        ),
    ],
)
def test_the_exit_code_is_java_s(body: str, code: int, stdout: str, way: Mapping[str, Any]) -> None:
    hook = 'Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));\n'
    answer = run(main(hook + body), **way)
    assert (answer["exit_code"], answer["stdout"]) == (code, stdout)


HOARD = "var hoard = new ArrayList<Object>(); while (true) hoard.add({});"


@pytest.mark.parametrize("item", ["new byte[1 << 20]", "new byte[100]", "List.of(hoard.size())"])
def test_out_of_memory_is_told_as_such(item: str, way: Mapping[str, Any]) -> None:
    answer = run(main(HOARD.format(item)), **way)
    assert answer["status"] == "memory_exceeded", answer
    assert answer["stderr"].startswith(
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n'
    )
    assert "soulbox" not in answer["stderr"]


def test_a_program_may_get_over_out_of_memory(way: Mapping[str, Any]) -> None:
    body = HOARD.format("new long[1 << 17]")
    code = main(f'try {{ {body} }} catch (OutOfMemoryError e) {{ System.out.println("caught"); }}')
    assert printed(code, **way) == "caught\n"


def test_much_garbage_is_no_memory(way: Mapping[str, Any]) -> None:
    code = main(
        "long sum = 0; for (int i = 0; i < 2_000_000; i++) sum += new byte[1000].length;\n"
        "byte[][] live = new byte[100][]; for (int i = 0; i < 500; i++)\n"
        "    Arrays.fill(live[i % 100] = new byte[1 << 20], (byte) 1);\n"
        "System.out.println(sum);"
    )
    assert printed(code, **way) == "2000000000\n"


def test_memory_outside_of_the_heap_is_limited_too(way: Mapping[str, Any]) -> None:
    code = main(
        "var arena = java.lang.foreign.Arena.global();\n"
        "while (true) arena.allocate(1 << 20).fill((byte) 1);"
    )
    assert run(code, **way)["status"] == "memory_exceeded"


def test_a_stack_overflow_is_java_s_own(way: Mapping[str, Any]) -> None:
    code = (
        "class Main { static int f(int n) { return f(n + 1) + 1; } static void main() { f(0); } }"
    )
    answer = run(code, **way)
    assert (answer["status"], answer["exit_code"]) == ("failed", 1)
    assert answer["stderr"].startswith('Exception in thread "main" java.lang.StackOverflowError\n')


def test_recursion_may_be_deep(way: Mapping[str, Any]) -> None:
    code = (
        "class Main { static int f(int n) { return n == 0 ? 0 : f(n - 1) + 1; }"
        " static void main() { IO.print(f(100_000)); } }"
    )
    assert printed(code, **way) == "100000"


@pytest.mark.parametrize(
    ("limits", "heap", "processors"),
    [({}, 176, 1), ({"memory_bytes": 512 << 20, "cpus": 2}, 384, 2), ({"cpus": 0.5}, 176, 1)],
)
def test_the_virtual_machine_knows_its_limits(
    limits: Mapping[str, float], heap: int, processors: int
) -> None:
    code = main(
        "var runtime = Runtime.getRuntime();\n"
        'System.out.println(runtime.maxMemory() / (1 << 20) + " " + runtime.availableProcessors());'
    )
    most, seen = map(int, printed(code, limits=limits).split())
    assert heap * 0.9 < most <= heap  # one of the survivor spaces is not counted
    assert seen == processors


def test_options_from_variables_are_honoured() -> None:
    code = main('System.out.println(System.getProperty("mode"));')
    answer = run(code, env={"JDK_JAVA_OPTIONS": "-Dmode=on"})
    assert answer["stdout"] == "on\n"


def test_no_two_runs_share_random_numbers() -> None:
    code = main(
        "System.out.println(new Random().nextLong() + Math.random()\n"
        '    + " " + UUID.randomUUID() + List.copyOf(Set.of(1, 2, 3, 4, 5, 6, 7, 8)));'
    )
    answers = [printed(code) for _ in range(4)]
    assert len(set(answers)) == len(answers)


def test_a_program_with_the_heaviest_libraries(way: Mapping[str, Any]) -> None:
    code = """\
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableSortedMap;
import java.util.List;
import org.apache.commons.math3.stat.StatUtils;

public class Main {
    record Item(String name, double price) {}

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        Item[] items = mapper.readValue("[{\\"name\\": \\"a\\", \\"price\\": 2}]", Item[].class);
        System.out.println(mapper.writeValueAsString(ImmutableSortedMap.of("items", items)));
        System.out.println(StatUtils.mean(new double[] {items[0].price(), 4}));
    }
}
"""
    assert printed({MAIN: code}, **way) == '{"items":[{"name":"a","price":2.0}]}\n3.0\n'
