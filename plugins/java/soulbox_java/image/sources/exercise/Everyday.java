package soulbox.exercise;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Scanner;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What most programs do, each thing once: what is new to the virtual machine makes the first time
 * slow. Nothing here may change what a later program sees: no thread without a name, no common
 * pool, nothing that keeps what a property or a variable said.
 */
public class Everyday implements Iterator<Object> {
    sealed interface Shape permits Circle, Square {}

    record Circle(double radius) implements Shape {}

    record Square(double side) implements Shape {}

    enum Color {
        RED,
        GREEN
    }

    private final String name = "name";
    private final List<Integer> list = new ArrayList<>(List.of(3, 1, 2));
    private int piece;

    @Override
    public boolean hasNext() {
        return piece < 8;
    }

    @Override
    public Object next() {
        try {
            return exercise(piece++);
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private Object exercise(int number) throws IOException {
        switch (number) {
            case 0 -> System.out.println("Hello, " + name + "! " + number + 1.5 * number + 'c');
            case 1 -> System.out.printf("%d %s %.2f%n", number, name, 2.5);
            case 2 -> collections();
            case 3 ->
                    System.out.println(
                            list.stream()
                                    .filter(one -> one > 1)
                                    .map(String::valueOf)
                                    .collect(Collectors.joining(", ")));
            case 4 -> System.out.println(list.stream().mapToInt(Integer::intValue).sum());
            case 5 -> types(number);
            case 6 -> System.out.println("a b".split(" ").length + "a1".replaceAll("[0-9]+", "#"));
            default -> input();
        }
        return list;
    }

    private void collections() {
        Collections.sort(list);
        list.sort(Comparator.reverseOrder());
        Map<String, Integer> counts = new HashMap<>();
        counts.merge(name, 1, Integer::sum);
        Map<String, List<Integer>> groups = new TreeMap<>();
        groups.computeIfAbsent(name, key -> new ArrayList<>()).add(1);
        counts.forEach((key, value) -> System.out.println(key + " = " + value));
        PriorityQueue<int[]> heap = new PriorityQueue<>((a, b) -> a[0] - b[0]);
        heap.add(new int[] {1});
        System.out.println(groups + Arrays.toString(heap.poll()) + list);
    }

    private static void types(int side) {
        Shape[] shapes = {new Circle(side), new Square(side)};
        for (Shape shape : shapes) {
            double area =
                    switch (shape) {
                        case Circle(double radius) -> Math.PI * radius * radius;
                        case Square square -> square.side() * square.side();
                    };
            System.out.println(shape + " " + area);
        }
        System.out.println(shapes[0].equals(shapes[1]) + " " + shapes[0].hashCode());
        for (Color color : Color.values()) {
            switch (color) {
                case RED -> System.out.println(color);
                case GREEN -> System.out.println(color.name());
            }
        }
    }

    private static void input() throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(System.in));
        System.out.println(reader.readLine());
        Scanner scanner = new Scanner("3 4\nline\n");
        System.out.println(scanner.nextInt() + scanner.nextLine());
    }
}
