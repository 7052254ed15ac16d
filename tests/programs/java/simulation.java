import java.util.Arrays;

/** Conway's Game of Life on a torus, and n bodies under gravity. */
public class Simulation {
    static boolean[][] step(boolean[][] cells) {
        int height = cells.length;
        int width = cells[0].length;
        boolean[][] next = new boolean[height][width];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int neighbours = 0;
                for (int dy = -1; dy <= 1; dy++) {
                    for (int dx = -1; dx <= 1; dx++) {
                        if ((dx | dy) != 0 && cells[(y + dy + height) % height][(x + dx + width) % width]) {
                            neighbours++;
                        }
                    }
                }
                next[y][x] = neighbours == 3 || neighbours == 2 && cells[y][x];
            }
        }
        return next;
    }

    static final double[][] BODIES = {
        // x, y, z, vx, vy, vz, mass
        {0, 0, 0, 0, 0, 0, 4 * Math.PI * Math.PI},
        {1, 0, 0, 0, 2 * Math.PI, 0, 1e-4},
        {5.2, 0, 0.1, 0, 2.7, 0.05, 4e-2},
    };

    static double energy() {
        double energy = 0;
        for (int i = 0; i < BODIES.length; i++) {
            double[] a = BODIES[i];
            energy += a[6] * (a[3] * a[3] + a[4] * a[4] + a[5] * a[5]) / 2;
            for (int j = i + 1; j < BODIES.length; j++) {
                double[] b = BODIES[j];
                energy -= a[6] * b[6] / Math.sqrt(square(a[0] - b[0]) + square(a[1] - b[1]) + square(a[2] - b[2])) ;
            }
        }
        return energy;
    }

    static double square(double x) {
        return x * x;
    }

    static void advance(double dt) {
        for (int i = 0; i < BODIES.length; i++) {
            for (int j = i + 1; j < BODIES.length; j++) {
                double[] a = BODIES[i];
                double[] b = BODIES[j];
                double d2 = square(a[0] - b[0]) + square(a[1] - b[1]) + square(a[2] - b[2]);
                double force = dt / (d2 * Math.sqrt(d2));
                for (int k = 0; k < 3; k++) {
                    double delta = a[k] - b[k];
                    a[k + 3] -= delta * b[6] * force;
                    b[k + 3] += delta * a[6] * force;
                }
            }
        }
        for (double[] body : BODIES) {
            for (int k = 0; k < 3; k++) {
                body[k] += dt * body[k + 3];
            }
        }
    }

    public static void main(String[] args) {
        boolean[][] cells = new boolean[8][8];
        for (int[] cell : new int[][] {{1, 0}, {2, 1}, {0, 2}, {1, 2}, {2, 2}}) {
            cells[cell[1]][cell[0]] = true;
        }
        boolean[][] start = cells;
        for (int i = 0; i < 32; i++) {
            cells = step(cells);
        }
        System.out.println("the glider came home: " + Arrays.deepEquals(start, cells));
        for (boolean[] row : step(cells)) {
            StringBuilder line = new StringBuilder();
            for (boolean cell : row) {
                line.append(cell ? '#' : '.');
            }
            System.out.println(line);
        }
        double before = energy();
        for (int i = 0; i < 200_000; i++) {
            advance(1e-4);
        }
        System.out.printf("energy drift below 1e-3: %b%n", Math.abs(energy() / before - 1) < 1e-3);
    }
}
