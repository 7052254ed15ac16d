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
    "javascript": """\
const _ = require("lodash");
const { format } = require("date-fns");
const { from, map } = require("rxjs");

from(_.range(3)).pipe(map((n) => _.padStart(String(n), 2, "0"))).forEach((n) => console.log(n));
console.log(format(new Date(2024, 1, 29), "yyyy-MM-dd"));
""",
    "java": """\
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import com.google.gson.Gson;
import java.util.Map;

public class Main {
    public static void main(String[] args) throws Exception {
        var numbers = ImmutableList.of(1, 2, 3);
        System.out.println(new ObjectMapper().writeValueAsString(Map.of("numbers", numbers)));
        System.out.println(new Gson().toJson(numbers));
    }
}
""",
    "typescript": """\
import lodash from "lodash";
import { format } from "date-fns";
import { from, map } from "rxjs";

const numbers = from(lodash.range(3)).pipe(map((n: number) => lodash.padStart(String(n), 2, "0")));
numbers.forEach((n) => console.log(n));
console.log(format(new Date(2024, 1, 29), "yyyy-MM-dd"));
""",
    "go": """\
package main

import (
	"fmt"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"gonum.org/v1/gonum/mat"
)

func main() {
	zap.NewNop().Info("started")
	same := assert.ObjectsAreEqual(mat.NewDense(1, 1, []float64{1}).At(0, 0), 1.0)
	fmt.Println("Hello, World!", same)
}
""",
    "rust": """\
use regex::Regex;
use serde_json::json;

#[tokio::main]
async fn main() {
    let number = Regex::new(r"[0-9]+").unwrap();
    println!("Hello, World! {}", json!({"found": number.is_match("42")}));
}
""",
}
"""Each uses three preloads of its language that take longest to load, or to compile."""
