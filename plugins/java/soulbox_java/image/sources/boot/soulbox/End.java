package soulbox;

import java.io.FileOutputStream;
import java.io.IOException;
import jdk.internal.access.SharedSecrets;

/**
 * The end of a program that has ended well, told before the virtual machine is torn down.
 *
 * <p>A hook of the runtime's own, in a place behind the program's hooks and the deletion of its
 * temporary files: nothing of the program's is left to do.
 */
final class End implements Runnable {
    private static final String EXIT = "/soulbox/exit";
    private static final int LAST = 9;

    private volatile boolean failed;

    /** Has the end of the virtual machine told, if it is a good one. */
    void tell() {
        SharedSecrets.getJavaLangAccess().registerShutdownHook(LAST, false, this);
    }

    /** The main thread ends with an exception, and the virtual machine with exit code 1. */
    void failed() {
        failed = true;
    }

    @Override
    public void run() {
        if (failed || isByExit()) {
            return;
        }
        try (FileOutputStream exit = new FileOutputStream(EXIT, true)) {
            exit.write('0');
        } catch (IOException unheard) {
            // The kernel tells of the end as well, only later.
        }
    }

    /** Whether exit was called, with whatever code, and not the last thread has ended. */
    private static boolean isByExit() {
        for (StackTraceElement frame : new Throwable().getStackTrace()) {
            if (frame.getMethodName().equals("exit")
                    && frame.getClassName().equals("java.lang.Shutdown")) {
                return true;
            }
        }
        return false;
    }
}
