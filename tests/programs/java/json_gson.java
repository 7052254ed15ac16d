import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import com.google.gson.reflect.TypeToken;
import java.util.List;
import java.util.Map;

public class Planets {
    static class Planet {
        String name;
        double radius;
        List<String> moons = List.of();
        transient int visits = 3;

        Planet(String name, double radius, String... moons) {
            this.name = name;
            this.radius = radius;
            this.moons = List.of(moons);
        }
    }

    public static void main(String[] args) {
        Gson gson = new Gson();
        String text = gson.toJson(List.of(new Planet("Earth", 6371, "Moon"), new Planet("Mars", 3389.5, "Phobos", "Deimos")));
        System.out.println(text);
        List<Planet> planets = gson.fromJson(text, new TypeToken<List<Planet>>() {}.getType());
        planets.forEach(p -> System.out.println(p.name + " has " + p.moons.size() + ", visits " + p.visits));
        JsonArray array = JsonParser.parseString(text).getAsJsonArray();
        double sum = 0;
        for (JsonElement element : array) {
            sum += element.getAsJsonObject().get("radius").getAsDouble();
        }
        JsonObject summary = new JsonObject();
        summary.addProperty("sum", sum);
        summary.add("first", array.get(0).getAsJsonObject().get("moons"));
        System.out.println(new GsonBuilder().setPrettyPrinting().create().toJson(summary));
        Map<String, Map<String, Integer>> nested =
                gson.fromJson("{\"a\": {\"x\": 1}, \"b\": {}}", new TypeToken<Map<String, Map<String, Integer>>>() {}.getType());
        System.out.println(nested);
        try {
            gson.fromJson("{broken", Planet.class);
        } catch (JsonSyntaxException expected) {
            System.out.println("broken");
        }
    }
}
