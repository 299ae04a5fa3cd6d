// Package blobs holds what keeps the world waiting in programs whose culprit is not in package main.
package blobs

// Arena is a block of memory that is used again and again.
type Arena struct{ block []byte }

func New(block []byte) *Arena { return &Arena{block} }

// Wipe clears the arena in one go: memclr has no preemption point.
func (a *Arena) Wipe() {
	clear(a.block)
}

// Twin reports whether two arenas hold the same bytes; the comparison is one assembly routine.
func (a *Arena) Twin(b *Arena) bool {
	return string(a.block) == string(b.block)
}
