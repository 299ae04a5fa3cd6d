package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sort"
	"strings"
	"sync"
	"time"

	"example.org/healthy/internal/record"
)

func init() {
	record.Add("http", func(ctx context.Context) { web(ctx, 16, 0, false) }) // clients that ask again at once
	record.Add("http-paced", func(ctx context.Context) { web(ctx, 24, 8*time.Millisecond, false) })
	record.Add("http-idle", func(ctx context.Context) { web(ctx, 2, 400*time.Millisecond, false) })
	record.Add("https", func(ctx context.Context) { web(ctx, 12, 2*time.Millisecond, true) })
	record.Add("proxy", proxied)
	record.Add("scraper", scraper)
	record.Add("http-dial", dialing)
}

type order struct {
	ID    int               `json:"id"`
	Item  string            `json:"item"`
	Count int               `json:"count"`
	Tags  []string          `json:"tags"`
	Extra map[string]string `json:"extra"`
}

type shop struct {
	mu     sync.RWMutex
	orders map[int]order
	next   int
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		var o order
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.next++
		o.ID = s.next
		s.orders[o.ID%5000] = o
		s.mu.Unlock()
		json.NewEncoder(w).Encode(o)
	default:
		s.mu.RLock()
		var some []order
		for _, o := range s.orders {
			if some = append(some, o); len(some) == 20 {
				break
			}
		}
		s.mu.RUnlock()
		sort.Slice(some, func(i, j int) bool { return some[i].ID < some[j].ID })
		json.NewEncoder(w).Encode(some)
	}
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func serve(h http.Handler, secure bool) (address string, stop func()) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	address = "http://" + listener.Addr().String()
	if secure {
		address = "https://" + listener.Addr().String()
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate()}})
	}
	go server.Serve(listener)
	return address, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}
}

func client(n int) *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: n, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

func ask(c *http.Client, method, address string, body io.Reader) error {
	r, err := http.NewRequest(method, address, body)
	check(err)
	answer, err := c.Do(r)
	if err != nil {
		return err
	}
	io.Copy(io.Discard, answer.Body)
	return answer.Body.Close()
}

func web(ctx context.Context, clients int, pause time.Duration, secure bool) {
	address, stop := serve(&shop{orders: map[int]order{}}, secure)
	c := client(clients)
	wait := crew(clients, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			if n%3 == 0 {
				body, _ := json.Marshal(order{Item: fmt.Sprint("item", n), Count: n, Tags: strings.Fields("a b c d e"), Extra: map[string]string{"k": "v", "from": fmt.Sprint(i)}})
				ask(c, http.MethodPost, address, bytes.NewReader(body))
			} else {
				ask(c, http.MethodGet, address, nil)
			}
			if pause > 0 && !rest(ctx, pause) {
				return
			}
		}
	})
	record.Ready()
	wait()
	c.CloseIdleConnections()
	stop()
}

func proxied(ctx context.Context) {
	address, stop := serve(&shop{orders: map[int]order{}}, false)
	to, err := url.Parse(address)
	check(err)
	front, stopFront := serve(httputil.NewSingleHostReverseProxy(to), false)
	c := client(8)
	wait := crew(8, func(int) {
		for ctx.Err() == nil {
			ask(c, http.MethodGet, front, nil)
			if !rest(ctx, time.Millisecond) {
				return
			}
		}
	})
	record.Ready()
	wait()
	c.CloseIdleConnections()
	stopFront()
	stop()
}

// scraper asks 30 targets every 100 ms, as a monitoring system does; the targets take their time, and one never answers.
func scraper(ctx context.Context) {
	var targets []string
	var stops []func()
	for i := 0; i < 30; i++ {
		i := i
		address, stop := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if i == 0 {
				<-r.Context().Done()
				return
			}
			time.Sleep(time.Duration(i) * time.Millisecond)
			for n := 0; n < 300; n++ {
				fmt.Fprintf(w, "metric_%d{instance=\"%d\"} %d\n", n, i, n*i)
			}
		}), false)
		targets, stops = append(targets, address), append(stops, stop)
	}
	c := &http.Client{Timeout: 250 * time.Millisecond}
	samples := make(chan int, 100)
	wait := crew(len(targets), func(i int) {
		for rest(ctx, 100*time.Millisecond) {
			answer, err := c.Get(targets[i])
			if err != nil {
				continue
			}
			text, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			samples <- bytes.Count(text, []byte("\n"))
		}
	})
	counted := make(chan int)
	go func() {
		sum := 0
		for n := range samples {
			sum += n
		}
		counted <- sum
	}()
	record.Ready()
	wait()
	close(samples)
	<-counted
	c.CloseIdleConnections()
	for _, stop := range stops {
		stop()
	}
}

// dialing opens a connection for every question.
func dialing(ctx context.Context) {
	address, stop := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }), false)
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	wait := crew(4, func(int) {
		for ctx.Err() == nil {
			ask(c, http.MethodGet, address, nil)
			if !rest(ctx, 3*time.Millisecond) {
				return
			}
		}
	})
	record.Ready()
	wait()
	stop()
}
