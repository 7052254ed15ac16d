package soulbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Linker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import jdk.internal.misc.Unsafe;

/**
 * The process's environment, which the runtime reads from the C library when a program first asks.
 *
 * <p>So it is changed there, before anybody has asked, and is right for child processes, too.
 */
final class Environment {
    private static final Unsafe MEMORY = Unsafe.getUnsafe();

    private Environment() {}

    /** The variables with which the process was started. */
    static Map<String, String> initial() throws IOException {
        Map<String, String> variables = new HashMap<>();
        String all = new String(Files.readAllBytes(Path.of("/proc/self/environ")), UTF_8);
        for (String variable : all.split("\0")) {
            int equals = variable.indexOf('=');
            if (equals > 0) {
                variables.put(variable.substring(0, equals), variable.substring(equals + 1));
            }
        }
        return variables;
    }

    /** Makes these variables the environment. */
    static void set(Map<String, String> variables) {
        // Not by calls of setenv: calling a C function takes ten times as long the first time.
        long pointers = MEMORY.allocateMemory((variables.size() + 1L) * Unsafe.ADDRESS_SIZE);
        long next = pointers;
        for (Map.Entry<String, String> variable : variables.entrySet()) {
            MEMORY.putAddress(next, string(variable.getKey() + '=' + variable.getValue()));
            next += Unsafe.ADDRESS_SIZE;
        }
        MEMORY.putAddress(next, 0);
        long environ = Linker.nativeLinker().defaultLookup().findOrThrow("environ").address();
        MEMORY.putAddress(environ, pointers);
    }

    /** A string as C has it. */
    private static long string(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        long address = MEMORY.allocateMemory(bytes.length + 1L);
        for (int i = 0; i < bytes.length; i++) {
            MEMORY.putByte(address + i, bytes[i]);
        }
        MEMORY.putByte(address + bytes.length, (byte) 0);
        return address;
    }
}
