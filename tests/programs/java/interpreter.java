import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

/** Tokens, a recursive descent parser and an evaluator for a calculator language. */
public class Interpreter {
    sealed interface Node {}

    record Literal(double value) implements Node {}

    record Variable(String name) implements Node {}

    record Assign(String name, Node value) implements Node {}

    record Binary(char operator, Node left, Node right) implements Node {}

    record Call(String function, List<Node> arguments) implements Node {}

    static class SyntaxError extends RuntimeException {
        SyntaxError(String message) {
            super(message);
        }
    }

    static class Parser {
        private final String text;
        private int at;

        Parser(String text) {
            this.text = text.replace(" ", "");
        }

        Node parse() {
            Node node = assignment();
            if (at < text.length()) {
                throw new SyntaxError("unexpected '" + text.charAt(at) + "' at " + at);
            }
            return node;
        }

        private Node assignment() {
            int start = at;
            if (at < text.length() && Character.isLetter(text.charAt(at))) {
                String name = name();
                if (take('=')) {
                    return new Assign(name, assignment());
                }
                at = start;
            }
            return sum();
        }

        private Node sum() {
            Node left = product();
            while (at < text.length() && "+-".indexOf(text.charAt(at)) >= 0) {
                left = new Binary(text.charAt(at++), left, product());
            }
            return left;
        }

        private Node product() {
            Node left = power();
            while (at < text.length() && "*/%".indexOf(text.charAt(at)) >= 0) {
                left = new Binary(text.charAt(at++), left, power());
            }
            return left;
        }

        private Node power() {
            Node base = unary();
            return take('^') ? new Binary('^', base, power()) : base;
        }

        private Node unary() {
            if (take('-')) {
                return new Binary('-', new Literal(0), unary());
            }
            if (take('(')) {
                Node inside = assignment();
                expect(')');
                return inside;
            }
            if (at < text.length() && Character.isLetter(text.charAt(at))) {
                String name = name();
                if (!take('(')) {
                    return new Variable(name);
                }
                List<Node> arguments = new ArrayList<>();
                do {
                    arguments.add(assignment());
                } while (take(','));
                expect(')');
                return new Call(name, arguments);
            }
            int start = at;
            while (at < text.length() && (Character.isDigit(text.charAt(at)) || text.charAt(at) == '.')) {
                at++;
            }
            if (start == at) {
                throw new SyntaxError(at < text.length() ? "unexpected '" + text.charAt(at) + "' at " + at : "unexpected end");
            }
            return new Literal(Double.parseDouble(text.substring(start, at)));
        }

        private String name() {
            int start = at;
            while (at < text.length() && Character.isLetterOrDigit(text.charAt(at))) {
                at++;
            }
            return text.substring(start, at);
        }

        private boolean take(char c) {
            boolean found = at < text.length() && text.charAt(at) == c;
            at += found ? 1 : 0;
            return found;
        }

        private void expect(char c) {
            if (!take(c)) {
                throw new SyntaxError("expected '" + c + "'");
            }
        }
    }

    static double evaluate(Node node, Map<String, Double> variables) {
        return switch (node) {
            case Literal(double value) -> value;
            case Variable(String name) when variables.containsKey(name) -> variables.get(name);
            case Variable(String name) -> throw new SyntaxError("unknown variable " + name);
            case Assign(String name, Node value) -> {
                double result = evaluate(value, variables);
                variables.put(name, result);
                yield result;
            }
            case Binary(char operator, Node l, Node r) -> {
                double left = evaluate(l, variables);
                double right = evaluate(r, variables);
                yield switch (operator) {
                    case '+' -> left + right;
                    case '-' -> left - right;
                    case '*' -> left * right;
                    case '/' -> left / right;
                    case '%' -> left % right;
                    default -> Math.pow(left, right);
                };
            }
            case Call(String function, List<Node> arguments) -> {
                double[] values = arguments.stream().mapToDouble(a -> evaluate(a, variables)).toArray();
                yield switch (function) {
                    case "sqrt" -> Math.sqrt(values[0]);
                    case "max" -> java.util.Arrays.stream(values).max().getAsDouble();
                    default -> throw new SyntaxError("unknown function " + function);
                };
            }
        };
    }

    public static void main(String[] args) {
        Map<String, Double> variables = new HashMap<>(Map.of("pi", Math.PI));
        Scanner scanner = new Scanner(System.in);
        while (scanner.hasNextLine()) {
            String line = scanner.nextLine();
            try {
                System.out.printf("%s => %.6g%n", line, evaluate(new Parser(line).parse(), variables));
            } catch (SyntaxError error) {
                System.out.println(line + " => error: " + error.getMessage());
            }
        }
    }
}
