package soulbox;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import jdk.internal.vm.annotation.Hidden;

/** Starts the program at once: {@code java soulbox.Run ARTIFACT DEPENDENCIES ARGS...}. */
public final class Run {
    private Run() {}

    @Hidden
    public static void main(String[] args) throws Throwable {
        Access.ask();
        String dependencies = Files.isDirectory(Path.of(args[1])) ? args[1] : null;
        Program.run(new Artifact(args[0], dependencies), Arrays.copyOfRange(args, 2, args.length));
    }
}
