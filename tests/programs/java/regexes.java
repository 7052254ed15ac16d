import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Regexes {
    private static final String LOG =
            """
            2024-03-01 10:15:00 INFO  [main] started in 1200 ms
            2024-03-01 10:15:07 WARN  [pool-1] slow query: 530 ms (SELECT * FROM users)
            2024-03-01 10:16:30 ERROR [pool-2] failed: java.io.IOException: broken pipe
            not a log line
            2024-03-02 00:00:01 INFO  [main] mail to jane.doe@example.com and bob@test.org
            """;

    public static void main(String[] args) {
        Pattern line =
                Pattern.compile(
                        "^(?<date>\\d{4}-\\d{2}-\\d{2}) (?<time>[\\d:]+) (?<level>[A-Z]+) +\\[(?<thread>[^]]+)] (?<text>.*)$",
                        Pattern.MULTILINE);
        Map<String, Integer> levels = new TreeMap<>();
        Matcher matcher = line.matcher(LOG);
        while (matcher.find()) {
            levels.merge(matcher.group("level"), 1, Integer::sum);
            System.out.println(matcher.group("thread") + ": " + matcher.group("text"));
        }
        System.out.println(levels);
        System.out.println(Pattern.compile("(\\d+) ms").matcher(LOG).results().mapToInt(r -> Integer.parseInt(r.group(1))).sum());
        System.out.println(Pattern.compile("\\b[\\w.]+@[\\w.]+\\b").matcher(LOG).results().map(MatchResult::group).toList());
        System.out.println("2024-03-01".replaceAll("(\\d+)-(\\d+)-(\\d+)", "$3.$2.$1"));
        System.out.println(Pattern.compile("\\b\\w").matcher("make title case").replaceAll(r -> r.group().toUpperCase()));
        System.out.println(String.join("|", "a1b22c333".split("\\d+")));
        System.out.println("camelCaseToSnake".replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase());
        System.out.println("aaa".matches("a{2,3}") + " " + "Straße".matches("(?iu)STRASSE|straße"));
        System.out.println(Pattern.compile("(a+)b\\1").matcher("xaabaay").find());
        System.out.println("1234567.891".replaceAll("(?<=\\d)(?=(\\d{3})+\\.)", ","));
    }
}
