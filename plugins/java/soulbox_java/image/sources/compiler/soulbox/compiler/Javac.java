package soulbox.compiler;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject.Kind;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/** javac, kept warm: what it has learnt of the runtime and the preloads stays from job to job. */
final class Javac {
    private static final String SOURCE = ".java";
    private static final String CLASS = ".class";
    private static final String INDEX = "soulbox.index";
    private static final String SHADOWS = "shadows\n";
    private static final String NO_MAIN =
            ": error: no class with a main method to start"
                    + " (void main() or public static void main(String[] args))\n1 error\n";
    private static final String CRASH = "An exception has occurred in the compiler";
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

    private final List<Path> preloads;
    private final StandardJavaFileManager manager;

    /** @param directory holds the preloads' jars */
    Javac(Path directory) throws IOException {
        preloads = jars(directory);
        manager = manager(preloads);
    }

    /** Compiles all of a job's Java files together. */
    Result compile(Job job) throws IOException {
        if (!job.entrypoint().endsWith(SOURCE)) {
            return Result.failed(job.entrypoint() + ": error: not a .java file\n");
        }
        if (job.dependencies().isEmpty()) {
            return compile(job, manager);
        }
        List<Path> path = new ArrayList<>(jars(job.dependencies().get()));
        path.addAll(preloads);
        try (StandardJavaFileManager wider = manager(path)) {
            return compile(job, wider);
        }
    }

    private Result compile(Job job, StandardJavaFileManager manager) throws IOException {
        Map<String, SourceText> sources = sources(job);
        Memory memory = new Memory(manager);
        StringWriter output = new StringWriter();
        JavacTask task =
                (JavacTask)
                        COMPILER.getTask(
                                output, memory, null, job.options(), null, sources.values());
        MainClass main = new MainClass(task, job.entrypoint());
        task.addTaskListener(main);
        if (!task.call()) {
            return Result.failed(withoutCrash(output.toString()));
        }
        if (main.name().isEmpty()) {
            return Result.failed(output + job.entrypoint() + NO_MAIN);
        }
        return new Result(true, output.toString(), artifact(main.name().get(), memory.classes()));
    }

    /**
     * What javac said, but for the report of a bug of its own: how deep its stack was is of no use
     * to anybody here.
     *
     * @throws OutOfMemoryError it was no bug
     */
    private static String withoutCrash(String output) {
        int start = output.indexOf(CRASH);
        if (start < 0) {
            return output;
        }
        if (output.indexOf(OutOfMemoryError.class.getName(), start) > 0) {
            throw new OutOfMemoryError();
        }
        return output.substring(0, start)
                + "error: javac failed on this program, which may be nested too deeply\n1 error\n";
    }

    /** The sources by their paths, the entrypoint first, as on a command line. */
    private static Map<String, SourceText> sources(Job job) {
        Map<String, SourceText> sources = new LinkedHashMap<>();
        sources.put(job.entrypoint(), null);
        for (Map.Entry<String, byte[]> file : new TreeMap<>(job.files()).entrySet()) {
            if (file.getKey().endsWith(SOURCE)) {
                sources.put(file.getKey(), new SourceText(file.getKey(), file.getValue()));
            }
        }
        return sources;
    }

    private Map<String, byte[]> artifact(String main, Map<String, byte[]> classes)
            throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        String shadows = "";
        for (Map.Entry<String, byte[]> made : classes.entrySet()) {
            files.put(made.getKey().replace('.', '/') + CLASS, made.getValue());
            if (made.getKey().contains(".") && isPreloaded(made.getKey())) {
                shadows = SHADOWS;
            }
        }
        files.put(INDEX, (main + "\n" + shadows).getBytes(UTF_8));
        return files;
    }

    private boolean isPreloaded(String name) throws IOException {
        return manager.getJavaFileForInput(StandardLocation.CLASS_PATH, name, Kind.CLASS) != null;
    }

    private static StandardJavaFileManager manager(List<Path> path) throws IOException {
        StandardJavaFileManager manager = COMPILER.getStandardFileManager(null, null, UTF_8);
        manager.setLocationFromPaths(StandardLocation.CLASS_PATH, path);
        return manager;
    }

    private static List<Path> jars(Path directory) throws IOException {
        List<Path> jars = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, "*.jar")) {
            found.forEach(jars::add);
        }
        Collections.sort(jars);
        return jars;
    }
}
