import java.io.Closeable;

public class Exceptions {
    static class Resource implements Closeable {
        private final String name;

        Resource(String name) {
            this.name = name;
            System.out.println("open " + name);
        }

        @Override
        public void close() {
            System.out.println("close " + name);
            throw new IllegalStateException("closing " + name);
        }
    }

    static int finallyWins() {
        try {
            return 1;
        } finally {
            System.out.println("finally");
        }
    }

    static void countDown(int n) {
        if (n == 0) {
            throw new ArithmeticException("bottom");
        }
        countDown(n - 1);
    }

    public static void main(String[] args) {
        System.out.println(finallyWins());
        try (Resource first = new Resource("first"); Resource second = new Resource("second")) {
            throw new RuntimeException("body");
        } catch (RuntimeException e) {
            System.out.println(e.getMessage() + " " + e.getSuppressed().length + " " + e.getSuppressed()[0].getMessage());
        }
        try {
            Object text = "text";
            Integer number = (Integer) text;
        } catch (ClassCastException e) {
            System.out.println("class cast");
        }
        try {
            int[] array = new int[2];
            array[2] = 1;
        } catch (ArrayIndexOutOfBoundsException e) {
            System.out.println(e.getMessage());
        }
        try {
            String nothing = args.length > 5 ? "" : null;
            nothing.length();
        } catch (NullPointerException e) {
            System.out.println(e.getMessage());
        }
        try {
            recurse(0);
        } catch (StackOverflowError e) {
            System.out.println("stack overflow");
        }
        countDown(2);
    }

    static int recurse(int n) {
        return recurse(n + 1) + 1;
    }
}
