package soulbox.compiler;

import java.util.Map;

/**
 * What came of a compilation.
 *
 * @param output javac's messages
 * @param files what the artifact is to hold, by paths; empty if it failed
 */
record Result(boolean ok, String output, Map<String, byte[]> files) {
    static Result failed(String output) {
        return new Result(false, output, Map.of());
    }
}
