module example.org/healthy

go 1.17
