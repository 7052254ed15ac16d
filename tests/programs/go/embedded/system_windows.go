package main

const system = "Windows"
