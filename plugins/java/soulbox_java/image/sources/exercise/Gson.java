package soulbox.exercise;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.reflect.TypeToken;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** JSON by Gson, both ways. */
public class Gson implements Iterator<Object> {
    record Point(int x, double y) {}

    static class Person {
        String name = "n";
        int age = 1;
        List<String> tags = List.of("t");
        Map<String, Integer> scores = Map.of("m", 1);
    }

    private com.google.gson.Gson gson;
    private int piece;

    @Override
    public boolean hasNext() {
        return piece < 5;
    }

    @Override
    public Object next() {
        return switch (piece++) {
            case 0 -> gson = new com.google.gson.Gson();
            case 1 -> gson.fromJson(gson.toJson(new Person()), Person.class);
            case 2 -> gson.toJson(gson.fromJson("{\"x\": 1, \"y\": 2.5}", Point.class));
            case 3 ->
                    new GsonBuilder()
                            .setPrettyPrinting()
                            .create()
                            .toJson(
                                    gson.<Object>fromJson(
                                            "[{\"a\": 1}]",
                                            new TypeToken<List<Map<String, Object>>>() {}
                                                    .getType()));
            default -> tree();
        };
    }

    private JsonObject tree() {
        JsonObject object = JsonParser.parseString("{\"a\": [1, \"x\"]}").getAsJsonObject();
        object.addProperty("b", object.getAsJsonArray("a").get(0).getAsInt());
        return object;
    }
}
