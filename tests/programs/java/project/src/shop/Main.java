package shop;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import shop.model.Cart;
import shop.model.Catalog;

public class Main {
    public static void main(String[] args) throws IOException {
        Catalog catalog = Catalog.parse(Files.readString(Path.of("src/shop/data/catalog.txt")));
        Cart cart = new Cart(catalog);
        cart.add("apple", 3);
        cart.add("pear", 2);
        System.out.print(cart.receipt());
        try (InputStream greeting = Main.class.getResourceAsStream("/messages/bye.txt")) {
            System.out.print(new String(greeting.readAllBytes(), StandardCharsets.UTF_8));
        }
        try {
            cart.add("plum", 1);
        } catch (Catalog.UnknownProduct unknown) {
            System.out.println(unknown.getMessage());
        }
    }
}
