package tools.echo;

import java.util.Map;
import java.util.TreeMap;

public class Echo {
    public static void main(String... args) {
        for (int i = 0; i < args.length; i++) {
            System.out.println(i + ": " + args[i]);
        }
        Map<String, String> mine = new TreeMap<>();
        System.getenv().forEach((name, value) -> {
            if (name.startsWith("APP_")) {
                mine.put(name, value);
            }
        });
        System.out.println(mine);
        System.err.println("done");
        System.exit(args.length);
    }
}
