"""Linear algebra, broadcasting, sorting, statistics and FFT with numpy."""

import numpy as np

np.set_printoptions(precision=4, suppress=True)

a = np.array([[4.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 4.0]])
b = np.array([11.0, -16.0, 17.0])
print("solution", np.linalg.solve(a, b))
print("eigenvalues", np.linalg.eigvalsh(a), "det", round(float(np.linalg.det(a)), 6))
q, r = np.linalg.qr(a)
print("QR", np.allclose(q @ r, a), np.allclose(q.T @ q, np.eye(3)))
lower = np.linalg.cholesky(a)
print("Cholesky", np.allclose(lower @ lower.T, a))
print("power", np.linalg.matrix_power(np.array([[1, 1], [1, 0]], dtype=object), 90)[0, 1])

grid = np.arange(12).reshape(3, 4)
print((grid * [[1], [10], [100]])[:, ::2])
print(grid[grid % 3 == 0], grid.sum(axis=0), grid.T.shape, np.roll(grid, 1, axis=1)[0])
print(np.einsum("ij,kj->ik", grid, grid)[0], np.where(grid > 5, grid, -1).min(axis=1))

generator = np.random.default_rng(42)
sample = generator.normal(10, 2, 100_000)
print("normal", round(sample.mean(), 1), round(sample.std(), 1), np.percentile(sample, 50).round(1))
numbers = generator.integers(0, 1 << 40, 1_000_000)
ordered = np.sort(numbers)
print("sorted", bool((np.diff(ordered) >= 0).all()), np.searchsorted(ordered, ordered[777]) <= 777)

time = np.arange(1000) / 1000
signal = np.sin(2 * np.pi * 50 * time) + 0.5 * np.sin(2 * np.pi * 120 * time)
spectrum = np.abs(np.fft.rfft(signal))
print("frequencies", np.argsort(spectrum)[-2:][::-1])
print("polynomial", np.polynomial.Polynomial.fromroots([1, 2, 3]).coef, np.roots([1, -6, 11, -6]))

people = np.array([("Ada", 36), ("Bob", 7)], dtype=[("name", "U10"), ("age", "i4")])
print(
    np.sort(people, order="age")["name"],
    people["age"].mean(),
    np.unique([3, 1, 3, 2], return_counts=True),
)
with np.errstate(divide="ignore"):
    print(np.divide([1.0, -1.0], 0))
np.savez_compressed("arrays.npz", a=a, grid=grid)
print(sorted(np.load("arrays.npz").files), np.array(2**62, dtype=np.int64).dtype)
