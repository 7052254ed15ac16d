import java.util.List;

sealed interface Expression permits Number, Sum, Product, Negation {}

record Number(double value) implements Expression {}

record Sum(Expression left, Expression right) implements Expression {}

record Product(Expression left, Expression right) implements Expression {}

record Negation(Expression of) implements Expression {}

enum Level {
    LOW,
    MIDDLE,
    HIGH
}

public class Main {
    static double value(Expression expression) {
        return switch (expression) {
            case Number(var value) -> value;
            case Sum(var left, var right) -> value(left) + value(right);
            case Product(Number(var factor), var right) when factor == 0 -> 0;
            case Product(var left, var right) -> value(left) * value(right);
            case Negation(Negation(var of)) -> value(of);
            case Negation negation -> -value(negation.of());
        };
    }

    static String shown(Expression expression) {
        return switch (expression) {
            case Number number -> String.valueOf(number.value());
            case Sum(Expression left, Expression right) ->
                    "(" + shown(left) + " + " + shown(right) + ")";
            case Product(Expression left, Expression right) -> shown(left) + " * " + shown(right);
            case Negation(Expression of) -> "-" + shown(of);
        };
    }

    static String describe(Object object) {
        return switch (object) {
            case null -> "nothing";
            case Integer i when i > 100 -> "a big number";
            case Integer i -> "the number " + i;
            case String s when s.isBlank() -> "a blank text";
            case String s -> "the text '" + s + "'";
            case int[] array -> array.length + " numbers";
            case Level.HIGH -> "the highest level";
            case Level level -> "level " + level.name().toLowerCase();
            case List<?> list -> "a list of " + list.size();
            default -> object.getClass().getSimpleName();
        };
    }

    public static void main(String[] args) {
        Expression expression =
                new Sum(
                        new Product(new Number(2), new Number(3.5)),
                        new Negation(new Negation(new Number(4))));
        System.out.println(shown(expression) + " = " + value(expression));
        System.out.println(value(new Product(new Number(0), new Number(Double.NaN))));
        System.out.println(new Number(1).equals(new Number(1.0)) + " " + expression);
        Object[] objects = {null, 7, 700, " ", "x", new int[3], Level.HIGH, Level.LOW, List.of(1), 'c'};
        for (Object object : objects) {
            System.out.println(describe(object));
        }
        if (expression instanceof Sum(Product(Number(var a), _), _) && a == 2) {
            System.out.println("starts with " + a);
        }
    }
}
