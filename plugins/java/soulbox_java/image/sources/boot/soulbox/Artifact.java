package soulbox;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the compile step left behind: a directory of classes, and which of them to start.
 *
 * @param directory where it is
 * @param dependencies directory with the jars that the request asked for, or null
 */
record Artifact(String directory, String dependencies) {
    /** Names the main class; a second line says that a preload has a class of the same name. */
    private static final String INDEX = "soulbox.index";

    private static final String WORKING_DIRECTORY = "/box";
    private static final String JAR = ".jar";

    /** Puts the program on the class path, ahead of the preloads, and loads its main class. */
    Class<?> load() throws Throwable {
        String[] index = Files.readString(Path.of(directory, INDEX)).split("\n");
        List<String> preloads = ClassPath.initial();
        List<String> path = new ArrayList<>();
        path.add(directory);
        path.add(WORKING_DIRECTORY);
        boolean differs = index.length > 1;
        if (dependencies != null) {
            List<String> jars = jars(dependencies);
            path.addAll(jars);
            differs |= shareLibrary(jars, preloads);
        }
        path.addAll(preloads);
        // Classes in the archive come before any class path, so what differs from them needs a
        // loader that has nothing to do with it.
        ClassLoader loader = differs ? ClassPath.replaceLoader(path) : ClassPath.set(path);
        return Class.forName(index[0], false, loader);
    }

    private static List<String> jars(String directory) {
        String[] names = new File(directory).list();
        Arrays.sort(names);
        List<String> jars = new ArrayList<>();
        for (String name : names) {
            if (name.endsWith(JAR)) {
                jars.add(directory + '/' + name);
            }
        }
        return jars;
    }

    /** Whether two jars hold the same library, maybe in two versions. */
    private static boolean shareLibrary(List<String> some, List<String> others) {
        Set<String> libraries = new HashSet<>();
        for (String jar : others) {
            libraries.add(library(jar));
        }
        for (String jar : some) {
            if (libraries.contains(library(jar))) {
                return true;
            }
        }
        return false;
    }

    /** "com.google.guava.guava" of "/opt/com.google.guava.guava-33.0.jar". */
    private static String library(String jar) {
        return jar.substring(jar.lastIndexOf('/') + 1).split("-(?=\\d)", 2)[0];
    }
}
