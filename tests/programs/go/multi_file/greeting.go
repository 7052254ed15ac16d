package main

import "strings"

var initialized bool

func init() { initialized = true }

func greeting(name string) string { return "Hallo, " + strings.ToUpper(name) + "!" }
