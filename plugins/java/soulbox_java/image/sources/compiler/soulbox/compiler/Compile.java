package soulbox.compiler;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The compile step by itself, for when there is no helper: {@code java soulbox.compiler.Compile
 * PRELOADS COMMAND ENTRYPOINT OUT DEPENDENCIES OPTIONS...}, on the files of the working directory.
 */
public final class Compile {
    private Compile() {}

    public static void main(String[] args) throws IOException {
        List<String> command = List.of(args).subList(1, args.length);
        Job job = Job.of(command, files(Path.of("")));
        Result result = new Javac(Path.of(args[0])).compile(job);
        System.err.print(result.output());
        System.err.flush();
        if (!result.ok()) {
            System.exit(1);
        }
        for (Map.Entry<String, byte[]> file : result.files().entrySet()) {
            Path path = Path.of(command.get(2), file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
    }

    private static Map<String, byte[]> files(Path directory) throws IOException {
        Map<String, byte[]> files = new HashMap<>();
        Files.walkFileTree(
                directory,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        files.put(file.toString(), Files.readAllBytes(file));
                        return FileVisitResult.CONTINUE;
                    }
                });
        return files;
    }
}
