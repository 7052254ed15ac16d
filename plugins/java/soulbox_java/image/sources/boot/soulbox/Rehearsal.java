package soulbox;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.jar.JarFile;

/** What is done before the step comes, so that what it will need is warm. */
final class Rehearsal {
    private static final String STEP =
            "{\"env\": {\"A\": \"\\u0031\"}, \"args\": [\"1\"], \"artifact\": \"ARTIFACT\","
                    + " \"dependencies\": null}";

    /** Kept open: who opens one of them again need not read its directory any more. */
    private static final List<JarFile> JARS = new ArrayList<>();

    /** Runs a small program as the one that counts will be run, but on the null device. */
    void run(String program, Map<String, String> environment) throws Throwable {
        Streams streams = new Streams();
        try {
            Step step = Step.read(STEP.replace("ARTIFACT", program));
            step.environment().equals(environment);
            Environment.set(environment);
            Program.run(step.artifact(), step.args());
        } finally {
            streams.restore();
        }
    }

    /** Opens the preloads, as many as there is time for. */
    void open(BooleanSupplier isWanted) throws IOException {
        for (String jar : ClassPath.initial()) {
            if (isWanted.getAsBoolean()) {
                return;
            }
            JARS.add(new JarFile(jar));
        }
    }

    /**
     * Does exercises until somebody wants us.
     *
     * @param programs directories of exercises; each is an Iterator whose items are short pieces
     */
    void exercise(List<String> programs, BooleanSupplier isWanted) throws IOException {
        Streams streams = new Streams();
        try {
            for (String program : programs) {
                if (!Files.isDirectory(Path.of(program))) {
                    continue; // its preload is not there
                }
                Artifact artifact = new Artifact(program, null);
                Iterator<?> pieces = (Iterator<?>) artifact.load().getConstructor().newInstance();
                while (pieces.hasNext()) {
                    if (isWanted.getAsBoolean()) {
                        return;
                    }
                    pieces.next();
                }
            }
        } catch (Throwable unfit) {
            // It was written for another version of its preload. Programs may work all the same.
        } finally {
            streams.restore();
        }
    }

    /** The null device in the place of the standard streams. */
    private static final class Streams {
        private final InputStream in = System.in;
        private final PrintStream out = System.out;
        private final PrintStream err = System.err;

        Streams() throws IOException {
            System.setIn(new FileInputStream("/dev/null"));
            System.setOut(new PrintStream(new FileOutputStream("/dev/null"), true, out.charset()));
            System.setErr(System.out);
        }

        void restore() throws IOException {
            System.in.close();
            System.out.close();
            System.setIn(in);
            System.setOut(out);
            System.setErr(err);
        }
    }
}
