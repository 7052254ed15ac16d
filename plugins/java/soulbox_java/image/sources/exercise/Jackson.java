package soulbox.exercise;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** JSON by Jackson: trees, maps, records and beans, both ways. */
public class Jackson implements Iterator<Object> {
    public record Point(int x, double y, @JsonProperty("label") String name, List<String> tags) {}

    public static class Person {
        private String name;
        public int age;
        public Map<String, Integer> scores;

        public String getName() {
            return name;
        }

        public void setName(String name) {
            this.name = name;
        }
    }

    private static final String TEXT =
            "{\"a\": [1, 2.5, true, null], \"b\": {\"c\": \"\\u00e9 text\"}}";
    private static final String POINT =
            "{\"x\": 1, \"y\": 2.5, \"label\": \"p\", \"tags\": [\"t\"]}";
    private static final String PERSON = "{\"name\": \"n\", \"age\": 3, \"scores\": {\"m\": 1}}";

    private ObjectMapper mapper;
    private int piece;

    @Override
    public boolean hasNext() {
        return piece < 7;
    }

    @Override
    public Object next() {
        try {
            return exercise(piece++);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private Object exercise(int number) throws JsonProcessingException {
        return switch (number) {
            case 0 -> mapper = new ObjectMapper();
            case 1 -> tree();
            case 2 ->
                    mapper.writeValueAsString(
                            mapper.readValue(TEXT, new TypeReference<Map<String, Object>>() {}));
            case 3 -> mapper.readValue(POINT, Point.class);
            case 4 -> mapper.writeValueAsString(List.of(new Point(1, 2, "p", List.of("t"))));
            case 5 -> mapper.readValue("[" + PERSON + "]", new TypeReference<List<Person>>() {});
            default ->
                    mapper.enable(SerializationFeature.INDENT_OUTPUT)
                            .writeValueAsString(new Person());
        };
    }

    private String tree() throws JsonProcessingException {
        JsonNode tree = mapper.readTree(TEXT);
        ObjectNode object = mapper.createObjectNode().put("k", 1).put("t", "v");
        object.putArray("list").add(tree.get("a").get(0).asInt()).add("x");
        return object.toString() + tree.path("b").path("c").asText();
    }
}
