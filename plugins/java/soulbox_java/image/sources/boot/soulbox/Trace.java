package soulbox;

import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Stack traces without the frames by which the program was started. */
final class Trace {
    /** How the names of classes begin that may be at the bottom, where they are not hidden. */
    private static final String[] STARTERS = {
        "soulbox.", "java.lang.invoke.", "jdk.internal.misc.Unsafe", "java.lang.Class"
    };

    private Trace() {}

    /** Takes the lowest frames off, as far as they are the runtime's and not the program's. */
    static void trim(Throwable thrown) {
        trim(thrown, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    private static void trim(Throwable thrown, Set<Throwable> seen) {
        if (thrown == null || !seen.add(thrown)) {
            return;
        }
        StackTraceElement[] frames = thrown.getStackTrace();
        int kept = frames.length;
        while (kept > 0 && isStarter(frames[kept - 1].getClassName())) {
            kept--;
        }
        if (kept < frames.length) {
            thrown.setStackTrace(Arrays.copyOf(frames, kept));
        }
        trim(thrown.getCause(), seen);
        for (Throwable suppressed : thrown.getSuppressed()) {
            trim(suppressed, seen);
        }
    }

    private static boolean isStarter(String type) {
        for (String starter : STARTERS) {
            if (type.startsWith(starter)) {
                return true;
            }
        }
        return false;
    }
}
