"""A picture with several kinds of plots, brought back as PNG and SVG."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 4 * np.pi, 400)
generator = np.random.default_rng(1)

Path("plots").mkdir()
figure, axes = plt.subplots(2, 2, figsize=(8, 6), layout="constrained")
axes[0, 0].plot(x, np.sin(x), label="sin")
axes[0, 0].plot(x, np.exp(-x / 5) * np.cos(3 * x), "--", label=r"$e^{-x/5}\cos 3x$")
axes[0, 0].legend()
counts, _, _ = axes[0, 1].hist(generator.normal(size=1000), bins=20, edgecolor="white")
axes[1, 0].bar(["Ä", "Ö", "Ü"], [3, 1, 2], color=["tab:red", "tab:green", "tab:blue"])
mesh = axes[1, 1].imshow(np.outer(np.sin(x[::10]), np.cos(x[::10])), cmap="viridis")
figure.colorbar(mesh, ax=axes[1, 1])
figure.suptitle("Four plots")
figure.savefig("plots/picture.png", dpi=100)
figure.savefig("plots/picture.svg")

picture = plt.imread("plots/picture.png")
print(picture.shape, int(counts.sum()), len(figure.axes), plt.get_backend())
