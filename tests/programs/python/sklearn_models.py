"""Train, tune and judge models with scikit-learn."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_regression
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, export_text

iris = load_iris()
X, y = iris.data, iris.target
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
print(X_train.shape, X_test.shape, iris.target_names.tolist())

models = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "forest": RandomForestClassifier(30, random_state=0),
    "svc": SVC(),
}
for name, model in models.items():
    predicted = model.fit(X_train, y_train).predict(X_test)
    print(name, accuracy_score(y_test, predicted) > 0.85, confusion_matrix(y_test, predicted).sum())

scores = cross_val_score(models["logistic"], X, y, cv=5)
print("cross validation", len(scores), scores.mean() > 0.93)
search = GridSearchCV(SVC(), {"C": [0.01, 1, 10], "kernel": ["linear"]}, cv=3).fit(X, y)
print("searched", len(search.cv_results_["params"]), search.best_score_ > 0.95)

tree = DecisionTreeClassifier(max_depth=1, random_state=0).fit(X[:, 2:3], y)
print(export_text(tree, feature_names=["petal length"]))
pca = PCA(2).fit(X)
print("explained", pca.explained_variance_ratio_.round(3))
clusters = KMeans(3, n_init=5, random_state=0).fit(X)
print("clusters", clusters.cluster_centers_.shape, np.unique(clusters.labels_).tolist())
X, y, coefficients = make_regression(200, 3, coef=True, random_state=1)
fit = LinearRegression().fit(X, y)
print("regression", round(r2_score(y, fit.predict(X)), 6), np.allclose(fit.coef_, coefficients))
