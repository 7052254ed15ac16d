"""Algebra and calculus with sympy."""

import sympy as sp

x, y, n = sp.symbols("x y n")
k = sp.symbols("k", integer=True, positive=True)
print(sp.expand((x + y) ** 4), "|", sp.factor(x**6 - 1))
print(sp.solve(x**3 - 6 * x**2 + 11 * x - 6, x), sp.solve([x + y - 3, x * y - 2], [x, y]))
print(sp.diff(sp.sin(x**2) * sp.exp(x), x), "|", sp.integrate(x * sp.exp(-(x**2)), (x, 0, sp.oo)))
print(
    sp.limit(sp.sin(x) / x, x, 0),
    sp.limit((1 + 1 / n) ** n, n, sp.oo),
    sp.series(sp.cos(x), x, 0, 8),
)
print(sp.summation(1 / k**2, (k, 1, sp.oo)), sp.simplify(sp.sin(x) ** 2 + sp.cos(x) ** 2))
matrix = sp.Matrix([[2, 1], [1, 2]])
print(matrix.eigenvals(), matrix.inv(), matrix.charpoly(x).as_expr())
f = sp.Function("f")
print(sp.dsolve(f(x).diff(x, 2) + 4 * f(x), f(x)))
print(sp.N(sp.pi, 40), sp.Rational(1, 3) + sp.Rational(1, 6), sp.sqrt(8))
print(sp.factorint(360360), sp.isprime(2**61 - 1), sp.nextprime(10**12), sp.totient(36))
print(sp.latex(sp.Integral(sp.sqrt(1 - x**2), (x, -1, 1))), sp.pretty(x**2 / y, use_unicode=False))
print(sp.lambdify(x, x**2 + 1)(3), sp.sympify("2*(3+4)**2"), sp.apart(1 / (x * (x + 1))))
