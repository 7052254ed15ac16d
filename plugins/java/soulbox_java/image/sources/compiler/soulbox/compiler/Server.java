package soulbox.compiler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Compiles job after job: a line of JSON in, a line of JSON out.
 *
 * <p>{@code java soulbox.compiler.Server PRELOADS ROUNDS FILE...}: the directory of the preloads'
 * jars, and files to compile before the first job, that many times each.
 */
public final class Server {
    private static final long STACK_BYTES = 64L << 20;
    private static final String READY = "{\"ready\": true}";
    private static final String NOT_UNDERSTOOD = "soulbox: the compile helper got no valid job\n";
    private static final String TOO_BIG = "error: javac ran out of memory\n1 error\n";

    private final Javac javac;

    private Server(Javac javac) {
        this.javac = javac;
    }

    public static void main(String[] args) throws Exception {
        // What else may write to stdout must not get between the answers.
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, UTF_8);
        System.setOut(System.err);
        Server server = new Server(new Javac(Path.of(args[0])));
        for (int round = Integer.parseInt(args[1]); round > 0; round--) {
            for (String file : List.of(args).subList(2, args.length)) {
                server.warmUp(Path.of(file));
            }
        }
        System.gc(); // the heap is as small as it will be, and stays near it
        say(out, READY);
        BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
            try {
                say(out, Wire.answer(server.answer(line)));
            } catch (OutOfMemoryError error) {
                // A new virtual machine is better than one that may not be sound any more.
                say(out, Wire.answer(Result.failed(TOO_BIG)));
                return;
            }
        }
    }

    private void warmUp(Path file) throws IOException {
        String name = file.getFileName().toString();
        Map<String, byte[]> files = Map.of(name, Files.readAllBytes(file));
        Job job = new Job(name, Optional.empty(), List.of("-proc:none"), files);
        Wire.answer(compile(job));
    }

    private Result answer(String line) {
        try {
            return compile(Wire.job(line));
        } catch (RuntimeException notAJob) {
            return Result.failed(NOT_UNDERSTOOD);
        }
    }

    /**
     * Compiles on a stack of its own, deep enough for what people write and programs generate.
     *
     * @throws OutOfMemoryError the job needs more than we have
     */
    private Result compile(Job job) {
        FutureTask<Result> task = new FutureTask<>(() -> javac.compile(job));
        new Thread(null, task, "javac", STACK_BYTES).start();
        try {
            return task.get();
        } catch (ExecutionException fault) {
            if (fault.getCause() instanceof OutOfMemoryError error) {
                throw error;
            }
            return Result.failed("error: " + fault.getCause() + "\n1 error\n");
        } catch (InterruptedException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static void say(PrintStream out, String line) {
        out.println(line);
        out.flush();
    }
}
