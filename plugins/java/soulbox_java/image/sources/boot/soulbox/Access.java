package soulbox;

import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import jdk.internal.access.JavaLangAccess;
import jdk.internal.access.SharedSecrets;

/**
 * Packages of the runtime that we need, opened to us and to nobody else.
 *
 * <p>The command line exports one package to everybody, by which this is done.
 */
final class Access {
    private static final JavaLangAccess RUNTIME = SharedSecrets.getJavaLangAccess();
    private static final Module BASE = Object.class.getModule();
    private static final Module OURS = Access.class.getModule();

    private Access() {}

    /** Lets us use what is public in these packages; comes before anything that does. */
    static void ask() {
        RUNTIME.addExports(BASE, "jdk.internal.loader", OURS);
        RUNTIME.addExports(BASE, "jdk.internal.misc", OURS);
    }

    /** A lookup that finds whatever there is; reflection does not show all of it. */
    static MethodHandles.Lookup trusted() throws ReflectiveOperationException {
        RUNTIME.addOpens(BASE, "java.lang.invoke", OURS);
        Field lookup = MethodHandles.Lookup.class.getDeclaredField("IMPL_LOOKUP");
        lookup.setAccessible(true);
        return (MethodHandles.Lookup) lookup.get(null);
    }
}
