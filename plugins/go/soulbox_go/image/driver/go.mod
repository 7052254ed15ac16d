module soulbox-go

go 1.24
