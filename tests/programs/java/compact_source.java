record City(String name, int people) {}

List<City> cities = List.of(new City("Lyon", 522_000), new City("Nice", 342_000), new City("Lille", 236_000));

int total() {
    return cities.stream().mapToInt(City::people).sum();
}

void main() {
    IO.println("A file without a class");
    for (City city : cities) {
        IO.println("%s: %.1f %%".formatted(city.name(), 100.0 * city.people() / total()));
    }
    IO.println(Stream.of("x", "y").collect(Collectors.joining()) + new BigInteger("7").pow(20));
    String name = IO.readln("Who? ");
    IO.println("Hello, " + name + "!");
}
