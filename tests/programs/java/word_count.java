import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

public class WordCount {
    public static void main(String[] args) throws IOException {
        int lines = 0;
        int characters = 0;
        Map<String, Long> counts = new HashMap<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(System.in))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines++;
                characters += line.codePointCount(0, line.length());
                for (String word : line.toLowerCase().split("[^\\p{L}']+")) {
                    if (!word.isEmpty()) {
                        counts.merge(word, 1L, Long::sum);
                    }
                }
            }
        }
        System.out.println(lines + " lines, " + characters + " characters, " + counts.size() + " words");
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
                .limit(5)
                .forEach(entry -> System.out.printf("%-8s %3d %s%n", entry.getKey(), entry.getValue(), "*".repeat(entry.getValue().intValue())));
        Map<Integer, Long> lengths =
                counts.keySet().stream()
                        .collect(Collectors.groupingBy(String::length, TreeMap::new, Collectors.counting()));
        System.out.println(lengths);
        System.out.println(counts.keySet().stream().max(Comparator.comparingInt(String::length).thenComparing(Function.identity())).orElse(""));
    }
}
