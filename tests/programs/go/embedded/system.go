//go:build !windows

package main

const system = "not Windows"
