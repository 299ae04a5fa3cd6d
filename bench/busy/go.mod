module stwatch.test/bench/busy

go 1.21
