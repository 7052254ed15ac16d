package soulbox.rehearsal;

/** The least that a program does. */
public class Hello {
    public static void main(String[] args) {
        System.out.println("Hello, World!");
    }
}
