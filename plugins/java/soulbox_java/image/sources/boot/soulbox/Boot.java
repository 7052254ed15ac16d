package soulbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import jdk.internal.access.SharedSecrets;
import jdk.internal.vm.annotation.Hidden;

/**
 * A virtual machine that waits in a parked cell and becomes the program that it is sent: {@code
 * java soulbox.Boot REHEARSAL EXERCISE...}.
 */
public final class Boot {
    private static final int STEP = 3;
    private static final int READY = 4;

    /**
     * For so long nobody has wanted us before we warm up what most programs need, and after that
     * what some do. A busy service takes its cells sooner, and has better use for its processors.
     */
    private static final long SHORT_MILLIS = 500;

    private static final long LONG_MILLIS = 2500;

    private Boot() {}

    /**
     * Gets ready, waits, and runs the program.
     *
     * @param args directories with a program to rehearse with, an exercise for every program, and
     *     exercises for some
     */
    @Hidden
    public static void main(String[] args) throws Throwable {
        Access.ask();
        Map<String, String> environment = Environment.initial();
        Rehearsal rehearsal = new Rehearsal();
        rehearsal.run(args[0], environment);
        sayReady();
        String text = await(rehearsal, args);
        if (text.isEmpty()) {
            return; // nobody wants us any more
        }
        Step step = Step.read(text);
        if (!step.environment().equals(environment)) {
            Environment.set(step.environment());
        }
        End end = new End();
        end.tell();
        try {
            Program.run(step.artifact(), step.args());
        } catch (Throwable thrown) {
            end.failed();
            throw thrown;
        }
    }

    private static void sayReady() throws IOException {
        try (FileOutputStream ready = new FileOutputStream(descriptor(READY))) {
            ready.write('1');
        }
    }

    /** Waits for the step; the text is empty if nobody sends one any more. */
    private static String await(Rehearsal rehearsal, String[] args) throws Exception {
        FutureTask<String> step = new FutureTask<>(Boot::read);
        Thread reader = new Thread(null, step, "step");
        reader.setDaemon(true);
        reader.start();
        List<String> exercises = List.of(args).subList(1, args.length);
        if (isQuiet(step, SHORT_MILLIS)) {
            rehearsal.exercise(exercises.subList(0, 1), step::isDone);
        }
        if (isQuiet(step, LONG_MILLIS)) {
            rehearsal.open(step::isDone);
            rehearsal.exercise(exercises.subList(1, exercises.size()), step::isDone);
        }
        reader.join();
        return step.get();
    }

    private static boolean isQuiet(FutureTask<String> step, long millis) throws Exception {
        try {
            step.get(millis, TimeUnit.MILLISECONDS);
            return false;
        } catch (TimeoutException quiet) {
            return true;
        }
    }

    private static String read() throws IOException {
        try (FileInputStream input = new FileInputStream(descriptor(STEP))) {
            return new String(input.readAllBytes(), UTF_8);
        }
    }

    private static FileDescriptor descriptor(int number) {
        FileDescriptor descriptor = new FileDescriptor();
        SharedSecrets.getJavaIOFileDescriptorAccess().set(descriptor, number);
        return descriptor;
    }
}
