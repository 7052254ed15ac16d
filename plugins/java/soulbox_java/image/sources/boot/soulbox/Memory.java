package soulbox;

import jdk.internal.misc.Unsafe;

/**
 * Makes the kernel's count of the limit that the program has met.
 *
 * <p>The heap is bounded by what the limit leaves beside the virtual machine, so a program that
 * hoards meets OutOfMemoryError first. One that does not get over it asks for memory once more,
 * past the limit: the kernel ends the run, and the caller hears that it was memory.
 */
final class Memory {
    private static final long CHUNK_BYTES = 1 << 20;
    private static final long MOST_BYTES = 1L << 40;

    private Memory() {}

    /** Does not return if the program ended because it was out of memory. */
    static void exhaustIfOut(Throwable thrown) {
        if (!isOut(thrown)) {
            return;
        }
        Thread thread = Thread.currentThread();
        thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
        for (long taken = 0; taken < MOST_BYTES; taken += CHUNK_BYTES) {
            long chunk = Unsafe.getUnsafe().allocateMemory(CHUNK_BYTES);
            Unsafe.getUnsafe().setMemory(chunk, CHUNK_BYTES, (byte) 1);
        }
    }

    private static boolean isOut(Throwable thrown) {
        int depth = 0;
        for (Throwable cause = thrown; cause != null && depth < 16; cause = cause.getCause()) {
            // The error of a thread that could not be made has another limit behind it.
            if (cause instanceof OutOfMemoryError && !isOfThreads(cause)) {
                return true;
            }
            depth++;
        }
        return false;
    }

    private static boolean isOfThreads(Throwable thrown) {
        String message = thrown.getMessage();
        return message != null && message.contains("native thread");
    }
}
