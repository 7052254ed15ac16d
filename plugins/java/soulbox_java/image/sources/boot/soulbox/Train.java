package soulbox;

import java.util.List;

/** Does all that is done before a step, and ends: for the archive of classes that it takes. */
public final class Train {
    private Train() {}

    /** @param args as for {@link Boot} */
    public static void main(String[] args) throws Throwable {
        Access.ask();
        Rehearsal rehearsal = new Rehearsal();
        rehearsal.run(args[0], Environment.initial());
        rehearsal.open(() -> false);
        rehearsal.exercise(List.of(args).subList(1, args.length), () -> false);
    }
}
