package soulbox;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a parked cell is told to do.
 *
 * @param environment the program's whole environment
 */
record Step(Artifact artifact, String[] args, Map<String, String> environment) {
    /** Reads a step as the core sends it. */
    static Step read(String json) {
        Map<?, ?> step = (Map<?, ?>) Json.read(json);
        Artifact artifact =
                new Artifact((String) step.get("artifact"), (String) step.get("dependencies"));
        String[] args = ((List<?>) step.get("args")).toArray(new String[0]);
        Map<String, String> environment = new HashMap<>();
        for (Map.Entry<?, ?> variable : ((Map<?, ?>) step.get("env")).entrySet()) {
            environment.put((String) variable.getKey(), (String) variable.getValue());
        }
        return new Step(artifact, args, environment);
    }
}
