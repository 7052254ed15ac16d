package soulbox;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import jdk.internal.loader.BuiltinClassLoader;
import jdk.internal.loader.URLClassPath;
import jdk.internal.misc.Unsafe;

/**
 * The class path of the system class loader, changed before the program starts.
 *
 * <p>The command line has the preloads alone on it, since the archive of classes holds for that
 * class path only. The program's own classes are to be in the same loader, and found first.
 */
final class ClassPath {
    private static final String PROPERTY = "java.class.path";
    private static final List<String> INITIAL =
            List.of(System.getProperty(PROPERTY).split(File.pathSeparator));

    private ClassPath() {}

    /** The class path of the command line. */
    static List<String> initial() {
        return INITIAL;
    }

    /** Gives the system class loader another class path. */
    static ClassLoader set(List<String> path) {
        System.setProperty(PROPERTY, String.join(File.pathSeparator, path));
        ClassLoader loader = ClassLoader.getSystemClassLoader();
        // Not by reflection, which would have to make a few classes first.
        Unsafe unsafe = Unsafe.getUnsafe();
        long field = unsafe.objectFieldOffset(BuiltinClassLoader.class, "ucp");
        unsafe.putReferenceVolatile(loader, field, new URLClassPath(urls(path)));
        return loader;
    }

    /** Makes another system class loader, which knows nothing of the archive. */
    static ClassLoader replaceLoader(List<String> path) throws Throwable {
        System.setProperty(PROPERTY, String.join(File.pathSeparator, path));
        ClassLoader platform = ClassLoader.getPlatformClassLoader();
        ClassLoader loader = new URLClassLoader("app", urls(path), platform);
        Access.trusted()
                .findStaticSetter(ClassLoader.class, "scl", ClassLoader.class)
                .invokeExact(loader);
        Thread.currentThread().setContextClassLoader(loader);
        return loader;
    }

    private static URL[] urls(List<String> path) {
        URL[] urls = new URL[path.size()];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = url(path.get(i));
        }
        return urls;
    }

    private static URL url(String path) {
        try {
            return new File(path).toURI().toURL();
        } catch (MalformedURLException impossible) {
            throw new IllegalArgumentException(impossible);
        }
    }
}
