import java.util.*;

public class Collections1 {
    static class LruCache<K, V> extends LinkedHashMap<K, V> {
        private final int capacity;

        LruCache(int capacity) {
            super(16, 0.75f, true);
            this.capacity = capacity;
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > capacity;
        }
    }

    static class Matrix implements Iterable<Integer> {
        private final int[][] cells = {{1, 2}, {3, 4}};

        @Override
        public Iterator<Integer> iterator() {
            return new Iterator<>() {
                private int at;

                public boolean hasNext() {
                    return at < 4;
                }

                public Integer next() {
                    return cells[at / 2][at++ % 2];
                }
            };
        }
    }

    static <T extends Comparable<? super T>> T largest(Collection<? extends T> items) {
        Iterator<? extends T> iterator = items.iterator();
        T best = iterator.next();
        while (iterator.hasNext()) {
            T item = iterator.next();
            best = item.compareTo(best) > 0 ? item : best;
        }
        return best;
    }

    public static void main(String[] args) {
        LruCache<String, Integer> cache = new LruCache<>(2);
        cache.put("a", 1);
        cache.put("b", 2);
        cache.get("a");
        cache.put("c", 3);
        System.out.println(cache.keySet());
        TreeMap<Integer, String> grades = new TreeMap<>(Map.of(90, "A", 80, "B", 70, "C"));
        System.out.println(grades.floorEntry(85).getValue() + grades.headMap(80, true) + grades.descendingMap());
        Deque<Integer> deque = new ArrayDeque<>(List.of(1, 2, 3));
        deque.addFirst(0);
        deque.pollLast();
        System.out.println(deque + " " + largest(deque) + " " + largest(List.of("pear", "apple")));
        BitSet primes = new BitSet(100);
        primes.set(2, 100);
        for (int i = 2; i * i < 100; i++) {
            for (int j = i * i; primes.get(i) && j < 100; j += i) {
                primes.clear(j);
            }
        }
        System.out.println(primes.cardinality() + " " + primes);
        int sum = 0;
        for (int cell : new Matrix()) {
            sum += cell;
        }
        System.out.println(sum);
        List<Integer> numbers = new ArrayList<>(List.of(5, 3, 9, 1));
        numbers.removeIf(n -> n > 8);
        numbers.replaceAll(n -> n * 10);
        Collections.swap(numbers, 0, 2);
        System.out.println(numbers + " " + Collections.frequency(numbers, 10) + " " + numbers.reversed());
        Collections.shuffle(numbers, new Random(7));
        System.out.println(numbers.size() + " " + Collections.max(numbers) + " " + Collections.binarySearch(List.of(1, 4, 9), 4));
        EnumMap<Thread.State, Integer> states = new EnumMap<>(Thread.State.class);
        states.put(Thread.State.RUNNABLE, 1);
        states.put(Thread.State.NEW, 2);
        System.out.println(states);
        try {
            List.of(1).add(2);
        } catch (UnsupportedOperationException expected) {
            System.out.println("immutable");
        }
        try {
            for (Integer n : numbers) {
                numbers.add(n);
            }
        } catch (ConcurrentModificationException expected) {
            System.out.println("changed while iterating");
        }
    }
}
