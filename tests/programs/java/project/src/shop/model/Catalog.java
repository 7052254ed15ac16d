package shop.model;

import java.util.LinkedHashMap;
import java.util.Map;

public final class Catalog {
    public static class UnknownProduct extends RuntimeException {
        UnknownProduct(String name) {
            super("no product " + name);
        }
    }

    private final Map<String, Integer> cents;

    private Catalog(Map<String, Integer> cents) {
        this.cents = cents;
    }

    public static Catalog parse(String text) {
        Map<String, Integer> cents = new LinkedHashMap<>();
        text.lines().map(line -> line.split("\\s+")).forEach(parts -> cents.put(parts[0], Integer.parseInt(parts[1])));
        return new Catalog(cents);
    }

    int price(String name) {
        Integer price = cents.get(name);
        if (price == null) {
            throw new UnknownProduct(name);
        }
        return price;
    }
}
