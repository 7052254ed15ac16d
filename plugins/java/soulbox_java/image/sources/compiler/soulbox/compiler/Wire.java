package soulbox.compiler;

import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import soulbox.Json;

/** Jobs and results as lines of JSON. */
final class Wire {
    private Wire() {}

    /**
     * Reads a job.
     *
     * @throws RuntimeException the line is not one
     */
    static Job job(String line) {
        Map<?, ?> job = (Map<?, ?>) Json.read(line);
        List<String> command = new ArrayList<>();
        for (Object word : (List<?>) job.get("argv")) {
            command.add((String) word);
        }
        Map<String, byte[]> files = new HashMap<>();
        for (Object entry : (List<?>) job.get("files")) {
            Map<?, ?> file = (Map<?, ?>) entry;
            byte[] content = Base64.getDecoder().decode((String) file.get("content"));
            files.put((String) file.get("path"), content);
        }
        return Job.of(command, files);
    }

    /** Writes a result as one line. */
    static String answer(Result result) {
        StringBuilder line = new StringBuilder("{\"ok\": ").append(result.ok());
        line.append(", \"output\": ");
        Json.write(line, result.output());
        line.append(", \"files\": [");
        String separator = "";
        for (Map.Entry<String, byte[]> file : result.files().entrySet()) {
            line.append(separator).append("{\"path\": ");
            Json.write(line, file.getKey());
            line.append(", \"content\": \"");
            line.append(Base64.getEncoder().encodeToString(file.getValue())).append("\"}");
            separator = ", ";
        }
        return line.append("]}").toString();
    }
}
