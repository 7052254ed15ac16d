import java.util.Scanner;

public class APlusB {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int cases = in.nextInt();
        for (int i = 1; i <= cases; i++) {
            System.out.printf("Case %d: %d%n", i, in.nextLong() + in.nextLong());
        }
    }
}
