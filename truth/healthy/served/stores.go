package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"log"
	"math/rand"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/dgraph-io/badger/v4"
	"go.etcd.io/bbolt"
	_ "modernc.org/sqlite"

	"example.org/healthy/internal/record"
)

func init() {
	record.Add("bbolt", bolted)
	record.Add("pebble", pebbles)
	record.Add("badger", badgers)
	record.Add("sqlite", queried)
}

func scratch() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "healthy")
	check(err)
	return dir, func() { os.RemoveAll(dir) }
}

func number(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func bolted(ctx context.Context) {
	dir, remove := scratch()
	defer remove()
	db, err := bbolt.Open(filepath.Join(dir, "db"), 0o600, nil)
	check(err)
	bucket := []byte("things")
	check(db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(bucket)
		for i := range 5000 {
			b.Put(number(i), make([]byte, 200))
		}
		return err
	}))
	record.Ready()
	crew(6, func(i int) {
		random := rand.New(rand.NewSource(int64(i)))
		for ctx.Err() == nil {
			if i < 2 {
				db.Batch(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put(number(random.Intn(5000)), make([]byte, 200)) })
				continue
			}
			db.View(func(tx *bbolt.Tx) error {
				for range 50 {
					tx.Bucket(bucket).Get(number(random.Intn(5000)))
				}
				return nil
			})
			rest(ctx, time.Millisecond)
		}
	})()
	check(db.Close())
}

type silent struct{}

func (silent) Infof(string, ...any)              {}
func (silent) Errorf(string, ...any)             {}
func (silent) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

func pebbles(ctx context.Context) {
	dir, remove := scratch()
	defer remove()
	db, err := pebble.Open(dir, &pebble.Options{Logger: silent{}, MemTableSize: 2 << 20})
	check(err)
	record.Ready()
	crew(6, func(i int) {
		random := rand.New(rand.NewSource(int64(i)))
		for n := 0; ctx.Err() == nil; n++ {
			if i < 3 {
				how := pebble.NoSync
				if n%50 == 0 {
					how = pebble.Sync
				}
				check(db.Set(number(random.Intn(100000)), make([]byte, 300), how))
				continue
			}
			if v, c, err := db.Get(number(random.Intn(100000))); err == nil {
				_ = v
				c.Close()
			}
			if n%200 == 0 {
				rest(ctx, time.Millisecond)
			}
		}
	})()
	check(db.Close())
}

func badgers(ctx context.Context) {
	dir, remove := scratch()
	defer remove()
	db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil).WithMemTableSize(8 << 20).WithNumCompactors(2).WithValueLogFileSize(16 << 20))
	check(err)
	record.Ready()
	crew(4, func(i int) {
		random := rand.New(rand.NewSource(int64(i)))
		for ctx.Err() == nil {
			if i < 2 {
				db.Update(func(tx *badger.Txn) error {
					for range 20 {
						if err := tx.Set(number(random.Intn(50000)), make([]byte, 200)); err != nil {
							return err
						}
					}
					return nil
				})
				continue
			}
			db.View(func(tx *badger.Txn) error {
				for range 20 {
					tx.Get(number(random.Intn(50000)))
				}
				return nil
			})
			rest(ctx, time.Millisecond)
		}
	})()
	check(db.Close())
}

func queried(ctx context.Context) {
	dir, remove := scratch()
	defer remove()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "db")+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
	check(err)
	db.SetMaxOpenConns(4)
	_, err = db.Exec("create table things(id integer primary key, name text, size int)")
	check(err)
	tx, err := db.Begin()
	check(err)
	for i := range 2000 {
		_, err = tx.Exec("insert into things values(?, ?, ?)", i, fmt.Sprint("thing ", i), i*7%100)
		check(err)
	}
	check(tx.Commit())
	record.Ready()
	crew(6, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			if i == 0 {
				db.ExecContext(ctx, "update things set size = size + 1 where id = ?", n%2000)
				continue
			}
			var sum int
			db.QueryRowContext(ctx, "select sum(size) from things where size > ?", n%100).Scan(&sum)
			rest(ctx, 2*time.Millisecond)
		}
	})()
	check(db.Close())
}
