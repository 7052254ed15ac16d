package shop.model;

import java.util.ArrayList;
import java.util.List;

public class Cart {
    private final Catalog catalog;
    private final List<Line> lines = new ArrayList<>();

    public Cart(Catalog catalog) {
        this.catalog = catalog;
    }

    public void add(String name, int count) {
        lines.add(new Line(name, count, catalog.price(name)));
    }

    public String receipt() {
        StringBuilder text = new StringBuilder();
        for (Line line : lines) {
            text.append("%-6s %2d x %5.2f%n".formatted(line.name(), line.count(), line.price() / 100.0));
        }
        int total = lines.stream().mapToInt(Line::total).sum();
        return text.append("total %.2f%n".formatted(total / 100.0)).toString();
    }
}

record Line(String name, int count, int price) {
    int total() {
        return count * price;
    }
}
