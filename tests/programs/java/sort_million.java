import java.util.Arrays;

/** Sorts a million numbers with the library and by hand, and checks that both agree. */
public class Main {
    private static int[] numbers(int count) {
        int[] numbers = new int[count];
        long state = 42;
        for (int i = 0; i < count; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            numbers[i] = (int) (state >>> 33);
        }
        return numbers;
    }

    private static void mergeSort(int[] a, int[] buffer, int from, int to) {
        if (to - from < 2) {
            return;
        }
        int middle = (from + to) >>> 1;
        mergeSort(a, buffer, from, middle);
        mergeSort(a, buffer, middle, to);
        System.arraycopy(a, from, buffer, from, to - from);
        int left = from;
        int right = middle;
        for (int i = from; i < to; i++) {
            boolean takeLeft = right >= to || left < middle && buffer[left] <= buffer[right];
            a[i] = takeLeft ? buffer[left++] : buffer[right++];
        }
    }

    public static void main(String[] args) {
        int[] byLibrary = numbers(1_000_000);
        int[] byHand = byLibrary.clone();
        Arrays.sort(byLibrary);
        mergeSort(byHand, new int[byHand.length], 0, byHand.length);
        System.out.println("equal: " + Arrays.equals(byLibrary, byHand));
        boolean sorted = true;
        int distinct = 1;
        for (int i = 1; i < byHand.length; i++) {
            sorted &= byHand[i - 1] <= byHand[i];
            distinct += byHand[i - 1] < byHand[i] ? 1 : 0;
        }
        System.out.println("sorted: " + sorted);
        System.out.println("distinct: " + distinct);
    }
}
