// A report by text/template, a table by text/tabwriter, HTML that is escaped, and CSV.
package main

import (
	"encoding/csv"
	"fmt"
	htmltemplate "html/template"
	"os"
	"strings"
	"text/tabwriter"
	"text/template"
)

type item struct {
	Name  string
	Price float64
	Count int
}

const report = `{{define "line"}}{{printf "%-10s" .Name}} {{.Count}} x {{printf "%7.2f" .Price}}{{end -}}
Order for {{.Customer | upper}}
{{range $i, $item := .Items}}{{inc $i}}. {{template "line" $item}}{{if gt .Count 10}} (bulk){{end}}
{{else}}nothing
{{end}}Total: {{total .Items | printf "%.2f"}}
`

func main() {
	data := map[string]any{
		"Customer": "Ada",
		"Items":    []item{{"apple", 0.25, 12}, {"book", 12.99, 1}, {"<pen>", 1.5, 3}},
	}
	functions := template.FuncMap{
		"upper": strings.ToUpper,
		"inc":   func(i int) int { return i + 1 },
		"total": func(items []item) (sum float64) {
			for _, one := range items {
				sum += one.Price * float64(one.Count)
			}
			return sum
		},
	}
	template.Must(template.New("report").Funcs(functions).Parse(report)).Execute(os.Stdout, data)
	page := htmltemplate.Must(htmltemplate.New("page").Parse(`<b title="{{.}}">{{.}}</b>` + "\n"))
	page.Execute(os.Stdout, `<script>alert("x")</script>`)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows, err := csv.NewReader(strings.NewReader("name,price\n\"a, b\",1\n\"say \"\"hi\"\"\",20\n")).ReadAll()
	if err != nil {
		panic(err)
	}
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t")+"\t")
	}
	table.Flush()
	writer := csv.NewWriter(os.Stdout)
	writer.WriteAll(rows)
}
