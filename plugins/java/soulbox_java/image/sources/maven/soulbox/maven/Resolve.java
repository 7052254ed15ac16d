package soulbox.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.aether.RepositoryException;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;

/**
 * Fetches libraries and what they need, as Maven would: {@code java soulbox.maven.Resolve DIRECTORY
 * PRESENT GROUP:ARTIFACT:VERSION...} puts the jars into DIRECTORY, but for those that are in the
 * directory PRESENT already. What is needed only by others is taken in the version that is there.
 */
public final class Resolve {
    /** In a directory of libraries: their coordinates, a line each. */
    private static final String LIST = "libraries.txt";

    private static final int GROUP_AND_ARTIFACT = 2;

    private Resolve() {}

    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[0]);
        Path present = Path.of(args[1]);
        try {
            List<Artifact> wanted = artifacts(List.of(args).subList(2, args.length));
            Path list = present.resolve(LIST);
            List<String> there = Files.exists(list) ? Files.readAllLines(list) : List.of();
            Certificates.trust();
            List<String> coordinates = new ArrayList<>();
            for (Artifact found : new Repository().resolve(wanted, artifacts(there))) {
                coordinates.add(found.toString());
                String name = name(found);
                if (!Files.exists(present.resolve(name))) {
                    Files.move(found.getFile().toPath(), directory.resolve(name));
                }
            }
            Files.write(directory.resolve(LIST), coordinates);
        } catch (RepositoryException | IllegalArgumentException problem) {
            System.err.println("error: " + problem.getMessage());
            System.exit(1);
        }
    }

    private static List<Artifact> artifacts(List<String> coordinates) {
        List<Artifact> artifacts = new ArrayList<>();
        for (String one : coordinates) {
            artifacts.add(artifact(one));
        }
        return artifacts;
    }

    /** Maven's coordinates; without a version they mean the newest release. */
    private static Artifact artifact(String coordinates) {
        boolean whole = coordinates.split(":").length > GROUP_AND_ARTIFACT;
        return new DefaultArtifact(whole ? coordinates : coordinates + ":RELEASE");
    }

    /** The group is in the name, since two groups may have artifacts of one name. */
    private static String name(Artifact artifact) {
        String classifier = artifact.getClassifier();
        return "%s.%s-%s%s.jar"
                .formatted(
                        artifact.getGroupId(),
                        artifact.getArtifactId(),
                        artifact.getVersion(),
                        classifier.isEmpty() ? "" : "-" + classifier);
    }
}
