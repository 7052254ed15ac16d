"""A small database in memory: joins, windows, recursion, transactions, functions."""

import sqlite3

SCHEMA = """
CREATE TABLE department (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
CREATE TABLE employee (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, salary INTEGER CHECK (salary > 0),
    department INTEGER REFERENCES department, boss INTEGER REFERENCES employee
);
CREATE INDEX by_department ON employee (department);
"""

db = sqlite3.connect(":memory:")
db.row_factory = sqlite3.Row
db.executescript("PRAGMA foreign_keys = ON;" + SCHEMA)
with db:
    db.executemany(
        "INSERT INTO department VALUES (?, ?)", [(1, "Engines"), (2, "Sails"), (3, "Oars")]
    )
    db.executemany(
        "INSERT INTO employee VALUES (?, ?, ?, ?, ?)",
        [
            (1, "Ada", 9000, 1, None),
            (2, "Bob", 5000, 1, 1),
            (3, "Cyd", 7000, 2, 1),
            (4, "Dee", 4000, 2, 3),
            (5, "Eve", 4000, 2, 3),
        ],
    )

for row in db.execute(
    """SELECT d.name, count(e.id) AS heads, total(e.salary) AS paid FROM department d
    LEFT JOIN employee e ON e.department = d.id GROUP BY d.id ORDER BY paid DESC"""
):
    print(dict(row))

for row in db.execute(
    """SELECT name, rank() OVER (PARTITION BY department ORDER BY salary DESC) AS place,
    sum(salary) OVER (ORDER BY id) AS so_far FROM employee ORDER BY id"""
):
    print(*row)

chain = """WITH RECURSIVE below(id, name, depth) AS (
    SELECT id, name, 0 FROM employee WHERE boss IS NULL
    UNION ALL SELECT e.id, e.name, depth + 1 FROM employee e JOIN below b ON e.boss = b.id
) SELECT name, depth FROM below ORDER BY depth, name"""
print(["." * row["depth"] + row["name"] for row in db.execute(chain)])

try:
    with db:
        db.execute("UPDATE employee SET salary = salary * 2")
        db.execute("INSERT INTO employee VALUES (6, 'Fay', 1, 99, NULL)")
except sqlite3.IntegrityError as error:
    print("rolled back:", error)
print(db.execute("SELECT max(salary) FROM employee").fetchone()[0])

db.create_function("initials", 1, lambda name: name[0] + ".")


class Longest:
    def __init__(self) -> None:
        self.longest = ""

    def step(self, value: str) -> None:
        self.longest = max(self.longest, value, key=len)

    def finalize(self) -> str:
        return self.longest


db.create_aggregate("longest", 1, Longest)  # type: ignore[arg-type]
print(
    *db.execute("SELECT longest(name), group_concat(initials(name), '') FROM department").fetchone()
)
db.execute(
    """CREATE TABLE numbers AS WITH RECURSIVE n(i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n"""
)
print(*db.execute("SELECT count(*), sum(i), sum(i % 7 = 0) FROM numbers").fetchone())
print(len(list(db.iterdump())) > 100_000, db.total_changes > 0)
