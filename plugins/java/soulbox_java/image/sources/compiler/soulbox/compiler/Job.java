package soulbox.compiler;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One compilation, as it is asked for.
 *
 * @param entrypoint path of the file with the main class
 * @param dependencies directory with the jars that the request asked for, if it did
 * @param options javac's
 * @param files the user's files by their paths
 */
record Job(
        String entrypoint,
        Optional<Path> dependencies,
        List<String> options,
        Map<String, byte[]> files) {
    private static final int COMMAND_WORDS = 4;

    /**
     * Reads the words of the compile command: its name, the entrypoint, the directory for what it
     * makes, the dependencies' directory, and javac's options.
     *
     * @throws IllegalArgumentException there are too few
     */
    static Job of(List<String> command, Map<String, byte[]> files) {
        if (command.size() < COMMAND_WORDS) {
            throw new IllegalArgumentException("a compile command has four words or more");
        }
        // Without dependencies the placeholder stays as it is.
        Optional<Path> dependencies =
                Optional.of(Path.of(command.get(3))).filter(Files::isDirectory);
        List<String> options = command.subList(COMMAND_WORDS, command.size());
        return new Job(command.get(1), dependencies, options, files);
    }
}
