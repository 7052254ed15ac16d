import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Hanoi, queens, permutations, memoised and very deep recursion. */
public class Recursion {
    static int moves;

    static void hanoi(int n, char from, char to, char over) {
        if (n == 0) {
            return;
        }
        hanoi(n - 1, from, over, to);
        moves++;
        hanoi(n - 1, over, to, from);
    }

    static int queens(int n, int row, int columns, int left, int right) {
        if (row == n) {
            return 1;
        }
        int count = 0;
        for (int free = ((1 << n) - 1) & ~(columns | left | right); free != 0; free &= free - 1) {
            int bit = free & -free;
            count += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
        }
        return count;
    }

    static void permute(String rest, String prefix, List<String> out) {
        if (rest.isEmpty()) {
            out.add(prefix);
        }
        for (int i = 0; i < rest.length(); i++) {
            permute(rest.substring(0, i) + rest.substring(i + 1), prefix + rest.charAt(i), out);
        }
    }

    static final Map<Integer, Long> KNOWN = new HashMap<>();

    static long collatz(long n) {
        return n == 1 ? 1 : 1 + collatz(n % 2 == 0 ? n / 2 : 3 * n + 1);
    }

    static long catalan(int n) {
        if (n == 0) {
            return 1;
        }
        if (!KNOWN.containsKey(n)) {
            long sum = 0;
            for (int i = 0; i < n; i++) {
                sum += catalan(i) * catalan(n - 1 - i);
            }
            KNOWN.put(n, sum);
        }
        return KNOWN.get(n);
    }

    static int ackermann(int m, int n) {
        return m == 0 ? n + 1 : ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
    }

    static int depth(int n) {
        return n == 0 ? 0 : 1 + depth(n - 1);
    }

    public static void main(String[] args) {
        hanoi(16, 'A', 'C', 'B');
        System.out.println("hanoi " + moves);
        System.out.println("queens " + queens(9, 0, 0, 0, 0));
        List<String> permutations = new ArrayList<>();
        permute("abcd", "", permutations);
        System.out.println(permutations.size() + " " + permutations.getFirst() + " " + permutations.getLast());
        System.out.println("collatz " + collatz(837799));
        System.out.println("catalan " + catalan(30));
        System.out.println("ackermann " + ackermann(2, 300));
        System.out.println("depth " + depth(100_000));
    }
}
