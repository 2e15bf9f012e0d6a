package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// changes times single changes with each number of nodes.
func (b *bench) changes(t transport) error {
	tree := b.smallTree()
	s, err := b.newSite(t, slices.Max(b.nodes), tree.fill)
	if err != nil {
		return err
	}
	defer s.close()
	for _, n := range b.nodes {
		err := b.each(fmt.Sprintf("1 change, %s, %s", t.name, count(n, "node")), s.part(0, n), b.programs,
			func(r *session) error { return r.sample(t, tree) })
		if err != nil {
			return err
		}
	}
	return nil
}

// sample times changes of single files, far enough apart not to be in each
// other's way.
func (r *session) sample(t transport, tree tree) error {
	var took []time.Duration
	used := r.cpu()
	for i := range r.b.samples {
		r.pause()
		d, err := r.one(tree.file(i*tree.files/r.b.samples), arriveLimit)
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	r.pause() // its processes end
	r.addSamples(took)
	if t.name != overSSH.name { // the connection that is kept is not below the program
		r.add("CPU for each", ms(r.cpu()-used)/float64(len(took)), "ms")
	}
	return nil
}

// pause lets a program come to rest. inosyncd's push_rate wants a second between
// pushes, lsyncd has only its processes to wait for, and who is told of a change
// is at rest.
func (r *session) pause() {
	switch r.name {
	case ours:
		time.Sleep(r.b.pause)
	case plain:
	default:
		time.Sleep(r.b.pause / 3)
	}
}

func (r *session) addSamples(took []time.Duration) {
	slices.Sort(took)
	r.add("median", ms(took[len(took)/2]), "ms")
	r.add("worst", ms(took[len(took)-1]), "ms")
}

// bigFile times changes of 4 KiB in the middle of a big file.
func (b *bench) bigFile() error {
	size := int64(b.big) << 20
	s, err := b.newSite(overDaemon, 1, func(source string) error { return noise(filepath.Join(source, "big"), size) })
	if err != nil {
		return err
	}
	defer s.close()
	return b.each(fmt.Sprintf("4 KiB in a file of %d MiB", b.big), s, b.programs, func(r *session) error {
		var took []time.Duration
		for i := range min(3, b.samples) {
			r.pause()
			at := size / 4 * int64(i+1)
			stamp := fmt.Sprintf("%-4096d", time.Now().UnixNano())
			d, err := r.until(arriveLimit,
				func() error { return poke(filepath.Join(s.source, "big"), stamp, at) },
				func(mirror string) bool { return has(filepath.Join(mirror, "big"), at, stamp) })
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		r.addSamples(took)
		return nil
	})
}

// noise writes a file in which no block is like another.
func noise(file string, size int64) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	random, buf := rand.NewChaCha8([32]byte{}), make([]byte, 1<<20)
	for range size / int64(len(buf)) {
		_, _ = random.Read(buf) // never fails
		if _, err := f.Write(buf); err != nil {
			return err
		}
	}
	return f.Close()
}

// poke writes text at an offset, and a byte at the end, for the reason that write
// has.
func poke(file, text string, at int64) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	_, err = f.Write([]byte{'.'})
	return err
}
