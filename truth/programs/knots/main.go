// Knots plants waits behind one who is slow: a RWMutex, a sync.Once, one flight for all, a condition, a lock around a child
// process, around a file, around a name that is looked up, a database with too few connections. "brisk" is harmless.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"example.org/planted/internal/plant"
)

type registry struct {
	mu    sync.RWMutex
	plain sync.Mutex
	once  sync.Once
	data  map[int]int
	calls map[string]*flight
	db    *sql.DB
	file  *os.File
	dns   *net.Resolver
	until time.Time
}

type flight struct {
	wg sync.WaitGroup
}

// report keeps a read lock for long; a writer queues behind it, and readers behind the writer.
func (r *registry) report(d time.Duration) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	time.Sleep(d)
}

func (r *registry) set(k int) {
	r.mu.Lock()
	r.data[k] = k
	r.mu.Unlock()
}

func (r *registry) get(k int) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.data[k]
}

func (r *registry) connect() { time.Sleep(300 * time.Millisecond) }

// handle needs what is made once, slowly.
func (r *registry) handle() { r.once.Do(r.connect) }

func (r *registry) load() { time.Sleep(120 * time.Millisecond) }

// share lets one fetch and all others wait for it.
func (r *registry) share(key string) {
	r.plain.Lock()
	if f, ok := r.calls[key]; ok {
		r.plain.Unlock()
		f.wg.Wait()
		return
	}
	f := new(flight)
	f.wg.Add(1)
	r.calls[key] = f
	r.plain.Unlock()
	r.load()
	f.wg.Done()
	r.plain.Lock()
	delete(r.calls, key)
	r.plain.Unlock()
}

// resize runs a child process with the lock held.
func (r *registry) resize() {
	r.plain.Lock()
	defer r.plain.Unlock()
	plant.Check(exec.Command("sleep", "0.06").Run())
}

// persist writes and syncs with the lock held.
func (r *registry) persist(b []byte) {
	r.plain.Lock()
	defer r.plain.Unlock()
	r.file.WriteAt(b, 0)
	for i := 0; i < 4; i++ {
		ts := syscall.NsecToTimespec(10e6)
		syscall.Nanosleep(&ts, nil)
	}
}

// resolve looks a name up with the lock held; the server says nothing.
func (r *registry) resolve() {
	r.plain.Lock()
	defer r.plain.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 70*time.Millisecond)
	defer cancel()
	r.dns.LookupHost(ctx, "nobody.example.org")
}

// query takes one of the two connections to the database.
func (r *registry) query() {
	rows, err := r.db.Query("slow")
	plant.Check(err)
	for rows.Next() {
	}
	rows.Close()
}

// ---- a database that takes its time

type slowDriver struct{}
type slowConn struct{}
type slowStmt struct{}
type slowRows struct{ n int }

func (slowDriver) Open(string) (driver.Conn, error)         { return slowConn{}, nil }
func (slowConn) Prepare(string) (driver.Stmt, error)        { return slowStmt{}, nil }
func (slowConn) Close() error                               { return nil }
func (slowConn) Begin() (driver.Tx, error)                  { return nil, errors.New("none") }
func (slowStmt) Close() error                               { return nil }
func (slowStmt) NumInput() int                              { return 0 }
func (slowStmt) Exec([]driver.Value) (driver.Result, error) { return nil, errors.New("none") }
func (slowStmt) Query([]driver.Value) (driver.Rows, error) {
	time.Sleep(40 * time.Millisecond)
	return &slowRows{}, nil
}
func (r *slowRows) Columns() []string         { return []string{"a"} }
func (r *slowRows) Close() error              { return nil }
func (r *slowRows) Next([]driver.Value) error { return errors.New("EOF") }

func crowd(n int, f func()) {
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}
	wg.Wait()
}

func (r *registry) again(pause time.Duration, f func()) func() {
	return func() {
		for time.Now().Before(r.until) {
			f()
			time.Sleep(pause)
		}
	}
}

func main() {
	plant.Setup()
	sql.Register("slow", slowDriver{})
	db, err := sql.Open("slow", "")
	plant.Check(err)
	db.SetMaxOpenConns(2)
	file, err := os.Create(os.DevNull)
	plant.Check(err)
	mute, err := net.ListenPacket("udp", "127.0.0.1:0")
	plant.Check(err)
	r := &registry{data: map[int]int{}, calls: map[string]*flight{}, db: db, file: file}
	r.dns = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return net.Dial("udp", mute.LocalAddr().String())
	}}
	plant.Start()
	from := time.Now()
	r.until = from.Add(plant.Span())
	ms := time.Millisecond
	who := ""
	switch plant.Mode() {
	case "rwlock":
		who = "main.(*registry).report"
		go r.again(10*ms, func() { r.report(60 * ms) })()
		go r.again(15*ms, func() { r.set(1) })()
		crowd(12, r.again(2*ms, func() { r.get(1) }))
	case "once":
		who = "main.(*registry).connect"
		crowd(20, r.handle)
	case "flight":
		who = "main.(*registry).load"
		crowd(20, r.again(5*ms, func() { r.share("k") }))
	case "child":
		who = "main.(*registry).resize"
		crowd(8, r.again(5*ms, r.resize))
	case "file":
		who = "main.(*registry).persist"
		b := make([]byte, 4096)
		crowd(8, r.again(5*ms, func() { r.persist(b) }))
	case "dns":
		who = "main.(*registry).resolve"
		crowd(8, r.again(5*ms, r.resolve))
	case "db":
		who = "main.(*registry).query"
		crowd(12, r.again(2*ms, r.query))
	case "brisk":
		crowd(8, r.again(3*ms, func() { r.set(2); r.get(2); r.share("k2x"[:2]) }))
	}
	plant.Fault("knot", who, from, time.Since(from))
	plant.Stop()
}
