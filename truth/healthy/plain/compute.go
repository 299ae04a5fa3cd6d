package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	"example.org/healthy/internal/record"
)

func init() {
	record.Add("json", texts)
	record.Add("images", images)
	record.Add("matrix", matrix)
	record.Add("words", words)
	record.Add("sorting", sorting)
	record.Add("gzip", zipped)
	record.Add("locked-thread", lockedThread)
	record.Add("single", single)
	record.Add("cache", cache)
	record.Add("batch", batch)
}

// texts feeds a pool of workers that parse, match and print.
func texts(ctx context.Context) {
	jobs, results := make(chan []byte, 16), make(chan int, 16)
	name := regexp.MustCompile(`([a-z]+)([0-9]{2,})@(\w+)\.example`)
	wait := crew(procs(), func(int) {
		for job := range jobs {
			var doc map[string]interface{}
			check(json.Unmarshal(job, &doc))
			text, err := json.Marshal(doc)
			check(err)
			results <- len(name.FindAllSubmatch(text, -1))
		}
	})
	doc := map[string]interface{}{}
	for i := 0; i < 150; i++ {
		doc[fmt.Sprint("key", i)] = []interface{}{i, fmt.Sprintf("user%d@host%d.example", i*13, i), map[string]int{"x": i, "y": -i}}
	}
	job, err := json.Marshal(doc)
	check(err)
	counted := make(chan int)
	go func() {
		sum := 0
		for n := range results {
			sum += n
		}
		counted <- sum
	}()
	record.Ready()
	for ctx.Err() == nil {
		jobs <- job
	}
	close(jobs)
	wait()
	close(results)
	<-counted
}

func images(ctx context.Context) {
	record.Ready()
	crew(procs(), func(i int) {
		for n := i; ctx.Err() == nil; n++ {
			m := image.NewRGBA(image.Rect(0, 0, 320, 200))
			for y := 0; y < 200; y++ {
				for x := 0; x < 320; x++ {
					m.Set(x, y, color.RGBA{uint8(x * n), uint8(y + n), uint8(x ^ y), 255})
				}
			}
			var out bytes.Buffer
			if n%2 == 0 {
				check(png.Encode(&out, m))
			} else {
				check(jpeg.Encode(&out, m, nil))
			}
			sha256.Sum256(out.Bytes())
		}
	})()
}

// matrix multiplies in twice as many goroutines as there are P's, in rounds.
func matrix(ctx context.Context) {
	const n = 160
	a, b := make([]float64, n*n), make([]float64, n*n)
	for i := range a {
		a[i], b[i] = rand.Float64(), rand.Float64()
	}
	record.Ready()
	for ctx.Err() == nil {
		c := make([]float64, n*n)
		rows := 2 * procs()
		crew(rows, func(part int) {
			for i := part; i < n; i += rows {
				for j := 0; j < n; j++ {
					sum := 0.0
					for k := 0; k < n; k++ {
						sum += a[i*n+k] * b[k*n+j]
					}
					c[i*n+j] = math.Sqrt(sum)
				}
			}
		})()
	}
}

// words counts words in pieces and joins the counts.
func words(ctx context.Context) {
	text := strings.Repeat("the quick brown fox jumps over the lazy dog and runs away from it all ", 4000)
	pieces := strings.SplitAfter(text, "all ")
	record.Ready()
	for ctx.Err() == nil {
		counts := make(chan map[string]int)
		parts := 8
		for p := 0; p < parts; p++ {
			p := p
			go func() {
				mine := map[string]int{}
				for i := p; i < len(pieces); i += parts {
					for _, w := range strings.Fields(pieces[i]) {
						mine[w]++
					}
				}
				counts <- mine
			}()
		}
		all := map[string]int{}
		for p := 0; p < parts; p++ {
			for w, n := range <-counts {
				all[w] += n
			}
		}
	}
}

func sorting(ctx context.Context) {
	record.Ready()
	for ctx.Err() == nil {
		list := make([]int, 300000)
		for i := range list {
			list[i] = rand.Int()
		}
		mergeSort(list, 3)
	}
}

func mergeSort(list []int, depth int) {
	if depth == 0 {
		sort.Ints(list)
		return
	}
	half := len(list) / 2
	var other sync.WaitGroup
	other.Add(1)
	go func() {
		defer other.Done()
		mergeSort(list[:half], depth-1)
	}()
	mergeSort(list[half:], depth-1)
	other.Wait()
	merged := make([]int, 0, len(list))
	for a, b := list[:half], list[half:]; len(a)+len(b) > 0; {
		if len(b) == 0 || len(a) > 0 && a[0] <= b[0] {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	copy(list, merged)
}

// zipped is a pipeline through io.Pipe: make text, compress, expand, hash.
func zipped(ctx context.Context) {
	record.Ready()
	crew(procs(), func(i int) {
		line := []byte(strings.Repeat(fmt.Sprintf("line %d of a log that compresses well enough; ", i), 8) + "\n")
		for ctx.Err() == nil {
			packed, out := io.Pipe()
			go func() {
				w, _ := gzip.NewWriterLevel(out, flate.BestSpeed)
				for n := 0; n < 2000; n++ {
					w.Write(line)
				}
				w.Close()
				out.Close()
			}()
			r, err := gzip.NewReader(packed)
			check(err)
			sum := sha256.New()
			io.Copy(sum, r)
			sum.Sum(nil)
		}
	})()
}

// lockedThread has goroutines tied to threads, as users of OpenGL or namespaces have, that answer others' requests.
func lockedThread(ctx context.Context) {
	type request struct {
		n     int
		reply chan int
	}
	requests := make(chan request)
	stopped := crew(2, func(int) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for r := range requests {
			r.reply <- r.n * r.n
		}
	})
	record.Ready()
	crew(4, func(i int) {
		reply := make(chan int)
		for n := 0; ctx.Err() == nil; n++ {
			requests <- request{n, reply}
			<-reply
			if n%50 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})()
	close(requests)
	stopped()
}

// single is a program of one goroutine that computes and allocates.
func single(ctx context.Context) {
	record.Ready()
	for ctx.Err() == nil {
		tree := map[int][]string{}
		for i := 0; i < 20000; i++ {
			tree[i%500] = append(tree[i%500], fmt.Sprint(i))
		}
	}
}

// cache keeps a live heap of about 50 MB and turns it over.
func cache(ctx context.Context) {
	type entry struct {
		key  int
		data []byte
	}
	var mu sync.Mutex
	entries := map[int]*entry{}
	for i := 0; i < 50000; i++ {
		entries[i] = &entry{i, make([]byte, 1000)}
	}
	record.Ready()
	crew(procs(), func(i int) {
		random := rand.New(rand.NewSource(int64(i)))
		for ctx.Err() == nil {
			key := random.Intn(60000)
			fresh := &entry{key, make([]byte, 200+random.Intn(1500))}
			sha256.Sum256(fresh.data)
			mu.Lock()
			entries[key%50000] = fresh
			mu.Unlock()
		}
	})()
}

// batch starts a thousand small goroutines, waits for all, and does so again after a pause.
func batch(ctx context.Context) {
	record.Ready()
	for rest(ctx, 30*time.Millisecond) {
		crew(1000, func(i int) {
			sum := sha256.Sum256([]byte{byte(i)})
			for n := 0; n < 10; n++ {
				sum = sha256.Sum256(sum[:])
			}
		})()
	}
}
