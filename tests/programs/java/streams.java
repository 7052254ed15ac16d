import static java.util.stream.Collectors.averagingDouble;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.partitioningBy;
import static java.util.stream.Collectors.toMap;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Gatherers;
import java.util.stream.IntStream;
import java.util.stream.Stream;

public class Streams {
    record Employee(String name, String department, double salary, int age) {}

    public static void main(String[] args) {
        List<Employee> employees =
                List.of(
                        new Employee("Ada", "research", 5200, 36),
                        new Employee("Bob", "sales", 3100, 45),
                        new Employee("Cem", "research", 4700, 29),
                        new Employee("Dora", "sales", 3900, 51),
                        new Employee("Eva", "support", 2800, 23));
        Map<String, Double> salaries =
                employees.stream()
                        .collect(groupingBy(Employee::department, TreeMap::new, averagingDouble(Employee::salary)));
        System.out.println(salaries);
        System.out.println(
                employees.stream()
                        .sorted(Comparator.comparingDouble(Employee::salary).reversed())
                        .map(Employee::name)
                        .collect(joining(" > ")));
        System.out.println(
                employees.stream()
                        .collect(partitioningBy(e -> e.age() < 40, mapping(Employee::name, joining(",")))));
        Map<Character, Long> letters =
                "the quick brown the lazy dog the end"
                        .chars()
                        .mapToObj(c -> (char) c)
                        .filter(Character::isLetter)
                        .collect(groupingBy(Function.identity(), TreeMap::new, counting()));
        System.out.println(letters);
        System.out.println(IntStream.iterate(1, i -> i * 3).limit(10).boxed().toList());
        System.out.println(
                IntStream.rangeClosed(2, 50)
                        .filter(n -> IntStream.rangeClosed(2, (int) Math.sqrt(n)).noneMatch(d -> n % d == 0))
                        .boxed()
                        .map(String::valueOf)
                        .collect(joining(" ")));
        Map<String, Integer> lengths =
                Stream.of("a", "bb", "ccc").collect(toMap(s -> s, String::length, (x, y) -> x, TreeMap::new));
        System.out.println(lengths);
        System.out.println(IntStream.range(0, 10).boxed().gather(Gatherers.windowFixed(4)).toList());
        System.out.println(Stream.iterate(new long[] {0, 1}, f -> new long[] {f[1], f[0] + f[1]}).skip(80).findFirst().get()[0]);
        System.out.println(IntStream.rangeClosed(1, 100_000).parallel().mapToLong(i -> (long) i * i).sum());
    }
}
