import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;

public class Orders {
    record Item(String sku, int quantity, double price) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Order(@JsonProperty("order_id") long id, LocalDate placed, List<Item> items, String note) {
        double total() {
            return items.stream().mapToDouble(item -> item.quantity() * item.price()).sum();
        }
    }

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper =
                new ObjectMapper()
                        .registerModule(new JavaTimeModule())
                        .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS);
        String text =
                """
                [{"order_id": 1, "placed": "2024-02-29", "items": [{"sku": "A-1", "quantity": 2, "price": 9.5},
                  {"sku": "B-7", "quantity": 1, "price": 30}]},
                 {"order_id": 2, "placed": "2024-03-01", "items": [], "note": "Grüße 🌍"}]
                """;
        List<Order> orders = mapper.readValue(text, new TypeReference<>() {});
        for (Order order : orders) {
            System.out.println(order.id() + " " + order.placed().plusDays(1) + " " + order.total() + " " + order.note());
        }
        System.out.println(mapper.writeValueAsString(orders));
        JsonNode tree = mapper.readTree(text);
        System.out.println(tree.at("/0/items/1/sku").asText() + " " + tree.findValuesAsText("price"));
        ObjectNode report = mapper.createObjectNode();
        report.put("count", orders.size()).putPOJO("first", orders.getFirst().items());
        System.out.println(mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report));
        Map<String, Object> map = mapper.convertValue(orders.get(1), new TypeReference<>() {});
        System.out.println(map.keySet());
        try {
            mapper.readValue("{\"order_id\": \"x\"}", Order.class);
        } catch (JsonProcessingException problem) {
            System.out.println(problem.getClass().getSimpleName() + " at line " + problem.getLocation().getLineNr());
        }
    }
}
