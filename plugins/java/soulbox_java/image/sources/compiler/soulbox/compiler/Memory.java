package soulbox.compiler;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;

/** Lets javac write into memory, and read everything else where it did before. */
final class Memory extends ForwardingJavaFileManager<JavaFileManager> {
    private final Map<String, ClassBytes> classes = new TreeMap<>();

    Memory(JavaFileManager manager) {
        super(manager);
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
            Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
        return classes.computeIfAbsent(name, ClassBytes::new);
    }

    @Override
    public boolean isSameFile(FileObject a, FileObject b) {
        return a.equals(b);
    }

    @Override
    public boolean contains(Location location, FileObject file) {
        return false;
    }

    /** Binary names of the classes, dots and all, to their bytes. */
    Map<String, byte[]> classes() {
        Map<String, byte[]> made = new HashMap<>();
        classes.forEach((name, bytes) -> made.put(name, bytes.content()));
        return made;
    }
}
