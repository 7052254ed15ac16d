// A tokenizer, a parser and an evaluator for a small language, fed from stdin.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/scanner"
)

type parser struct {
	scanner   scanner.Scanner
	token     rune
	variables map[string]float64
}

func (p *parser) next() { p.token = p.scanner.Scan() }

func (p *parser) fail(what string) {
	panic(fmt.Errorf("column %d: %s", p.scanner.Position.Column, what))
}

func (p *parser) expression() float64 {
	value := p.term()
	for p.token == '+' || p.token == '-' {
		operator := p.token
		p.next()
		if right := p.term(); operator == '+' {
			value += right
		} else {
			value -= right
		}
	}
	return value
}

func (p *parser) term() float64 {
	value := p.factor()
	for p.token == '*' || p.token == '/' {
		operator := p.token
		p.next()
		right := p.factor()
		switch {
		case operator == '*':
			value *= right
		case right == 0:
			p.fail("division by zero")
		default:
			value /= right
		}
	}
	return value
}

func (p *parser) factor() float64 {
	text := p.scanner.TokenText()
	switch p.token {
	case scanner.Int, scanner.Float:
		p.next()
		value, _ := strconv.ParseFloat(text, 64)
		return value
	case scanner.Ident:
		p.next()
		value, ok := p.variables[text]
		if !ok {
			p.fail("unknown variable " + text)
		}
		return value
	case '-':
		p.next()
		return -p.factor()
	case '(':
		p.next()
		value := p.expression()
		if p.token != ')' {
			p.fail("expected )")
		}
		p.next()
		return value
	}
	p.fail("unexpected " + scanner.TokenString(p.token))
	return 0
}

func (p *parser) statement(line string) (result string) {
	defer func() {
		if failed := recover(); failed != nil {
			result = fmt.Sprint("error: ", failed)
		}
	}()
	name, rest, assigned := strings.Cut(line, "=")
	if !assigned {
		rest = line
	}
	p.scanner.Init(strings.NewReader(rest))
	p.scanner.Error = func(*scanner.Scanner, string) {}
	p.next()
	value := p.expression()
	if p.token != scanner.EOF {
		p.fail("unexpected " + scanner.TokenString(p.token))
	}
	if assigned {
		p.variables[strings.TrimSpace(name)] = value
	}
	return strconv.FormatFloat(value, 'g', 8, 64)
}

func main() {
	p := &parser{variables: map[string]float64{}}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(lines.Text(), "->", p.statement(lines.Text()))
	}
}
