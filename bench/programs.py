"""The programs that languages are measured with."""

HELLO = {
    "javascript": 'console.log("Hello, World!");\n',
    "typescript": 'const who: string = "World!";\nconsole.log(`Hello, ${who}`);\n',
    "go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello, World!")\n}\n',
    "rust": 'fn main() {\n    println!("Hello, World!");\n}\n',
    "java": """\
public class Main {
    public static void main(String[] args) {
        System.out.println("Hello, World!");
    }
}
""",
}

HEAVY = {
    "python": """\
import pandas, scipy.stats, sklearn.linear_model

frame = pandas.DataFrame({"x": range(10), "y": range(10)})
fit = sklearn.linear_model.LinearRegression().fit(frame[["x"]], frame["y"])
print(round(float(fit.coef_[0]), 3), round(float(scipy.stats.pearsonr(frame.x, frame.y)[0]), 3))
""",
}
"""Each uses the three preloads of its language that take longest to load."""
