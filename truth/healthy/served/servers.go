package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"example.org/healthy/internal/record"
)

func init() {
	record.Add("grpc", called)
	record.Add("nats", published)
	record.Add("prometheus", exported)
	record.Add("websocket", socketed)
	record.Add("fasthttp", fast)
	record.Add("errgroup", grouped)
}

func called(ctx context.Context) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	go s.Serve(listener)
	c, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	asking := grpc_health_v1.NewHealthClient(c)
	wait := crew(12, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			asking.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			if i%2 == 0 {
				rest(ctx, time.Millisecond)
			}
		}
	})
	record.Ready()
	wait()
	c.Close()
	s.Stop()
}

func published(ctx context.Context) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	check(err)
	go s.Start()
	s.ReadyForConnections(5 * time.Second)
	var ends []*nats.Conn
	for range 4 {
		c, err := nats.Connect(s.ClientURL())
		check(err)
		_, err = c.QueueSubscribe("work", "crew", func(m *nats.Msg) { m.Respond(m.Data) })
		check(err)
		ends = append(ends, c)
	}
	c, err := nats.Connect(s.ClientURL())
	check(err)
	wait := crew(8, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			if i < 4 {
				c.Request("work", bytes.Repeat([]byte{'x'}, 500), time.Second)
			} else {
				c.Publish("noise", make([]byte, 200))
				if n%50 == 0 {
					rest(ctx, time.Millisecond)
				}
			}
		}
	})
	record.Ready()
	wait()
	c.Close()
	for _, e := range ends {
		e.Close()
	}
	s.Shutdown()
}

func exported(ctx context.Context) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	asked := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "asked_seconds"}, []string{"path"})
	registry.MustRegister(asked)
	web := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	wait := crew(4, func(i int) {
		for ctx.Err() == nil {
			began := time.Now()
			r, err := http.Get(web.URL)
			if err == nil {
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
			asked.WithLabelValues("metrics").Observe(time.Since(began).Seconds())
			rest(ctx, time.Duration(10+i)*time.Millisecond)
		}
	})
	record.Ready()
	wait()
	web.Close()
}

func socketed(ctx context.Context) {
	up := websocket.Upgrader{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, text, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, text) != nil {
				return
			}
		}
	}))
	wait := crew(16, func(i int) {
		c, _, err := websocket.DefaultDialer.Dial("ws"+web.URL[4:], nil)
		check(err)
		defer c.Close()
		for ctx.Err() == nil {
			check(c.WriteMessage(websocket.TextMessage, []byte("hello from a member")))
			c.ReadMessage()
			rest(ctx, time.Duration(i)*time.Millisecond)
		}
	})
	record.Ready()
	wait()
	web.Close()
}

func fast(ctx context.Context) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	s := &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) { c.WriteString("hello " + string(c.Path())) }}
	go s.Serve(listener)
	c := &fasthttp.Client{}
	wait := crew(16, func(int) {
		for ctx.Err() == nil {
			c.Get(nil, "http://"+listener.Addr().String()+"/things")
		}
	})
	record.Ready()
	wait()
	c.CloseIdleConnections()
	s.Shutdown()
}

func grouped(ctx context.Context) {
	record.Ready()
	for ctx.Err() == nil {
		group, _ := errgroup.WithContext(ctx)
		group.SetLimit(6)
		for i := range 100 {
			group.Go(func() error {
				sum := 0
				for n := range 100000 {
					sum += n * i
				}
				time.Sleep(time.Millisecond)
				return nil
			})
		}
		group.Wait()
	}
}
