"""Optimise, integrate, interpolate, filter and test with scipy."""

import numpy as np
from scipy import integrate, interpolate, linalg, optimize, signal, sparse, spatial, special, stats

rosenbrock = optimize.minimize(
    optimize.rosen, [-1.2, 1.0, 0.5], method="BFGS", jac=optimize.rosen_der
)
print("minimum", rosenbrock.x.round(4), rosenbrock.success)
print("root", round(optimize.brentq(lambda x: x**3 - 2 * x - 5, 2, 3), 10))
plan = optimize.linprog([-3, -5], A_ub=[[1, 0], [0, 2], [3, 2]], b_ub=[4, 12, 18])
print("plan", plan.x.round(6), round(plan.fun, 6))
x = np.linspace(0, 4, 50)
fitted, _ = optimize.curve_fit(lambda t, a, b: a * np.exp(-b * t), x, 2.5 * np.exp(-1.3 * x))
print("fit", fitted.round(6))

print("integral", round(integrate.quad(lambda t: np.exp(-t * t), -np.inf, np.inf)[0] ** 2, 8))
orbit = integrate.solve_ivp(
    lambda _, y: [y[1], -y[0]], (0, 2 * np.pi), [1, 0], rtol=1e-9, atol=1e-9
)
print("after one turn", np.abs(orbit.y[:, -1].round(5)))
spline = interpolate.CubicSpline([0, 1, 2, 3], [0, 1, 8, 27])
print("spline", spline(1.5).round(6), spline.integrate(0, 3).round(6))

time = np.arange(500) / 500
noisy = np.sin(2 * np.pi * 5 * time) + np.sin(2 * np.pi * 100 * time)
clean = signal.sosfiltfilt(signal.butter(4, 20, fs=500, output="sos"), noisy)
print("filtered", bool(np.abs(clean - np.sin(2 * np.pi * 5 * time))[100:400].max() < 0.02))
print("peaks", signal.find_peaks(clean, prominence=1)[0].size)

print("t test", stats.ttest_ind([5.1, 4.9, 5.6, 5.8], [6.1, 6.4, 5.9, 6.8]).pvalue.round(6))
print("normal", stats.norm.ppf([0.5, 0.975]).round(6), stats.binom.pmf(3, 10, 0.5).round(6))
print("correlation", stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]).statistic.round(6))
print(
    "special",
    special.gamma(5.5).round(6),
    special.comb(50, 25, exact=True),
    special.erf(1).round(6),
)

matrix = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(1000, 1000), format="csc")
solution = sparse.linalg.spsolve(matrix, np.ones(1000))
print("sparse", solution.max().round(3), matrix.nnz)
print("expm", linalg.expm(np.array([[0, -np.pi / 2], [np.pi / 2, 0]])).round(6).tolist())
tree = spatial.KDTree([[0, 0], [3, 4], [6, 8]])
print(
    "nearest",
    tree.query([3, 3])[1],
    round(spatial.ConvexHull([[0, 0], [2, 0], [1, 1], [0, 2], [2, 2]]).volume, 6),
)
