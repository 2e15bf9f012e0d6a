package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// burst is a number of new files at once, in so many new directories or, when
// that is 0, in one that has been there.
type burst struct{ files, dirs int }

func (n burst) String() string {
	if n.dirs == 0 {
		return fmt.Sprintf("%s new files, 3 nodes", number(n.files))
	}
	return fmt.Sprintf("%s new files in %s new directories, 3 nodes", number(n.files), number(n.dirs))
}

func (n burst) file(i int) string {
	if n.dirs == 0 {
		return fmt.Sprint(i)
	}
	return fmt.Sprintf("%d/%d", i*n.dirs/n.files, i)
}

// make makes the files, 1 KiB each, in dir.
func (n burst) make(dir string) error {
	content := make([]byte, 1024)
	for i := range n.files {
		file := filepath.Join(dir, n.file(i))
		if n.dirs > 0 && i%(n.files/n.dirs) == 0 {
			if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// burst times until three nodes have all new files: from the first write on, and
// from the last, which is when plain rsync starts.
func (b *bench) burst(n burst) error {
	s, err := b.newSite(overDaemon, 3, b.smallTree().fill)
	if err != nil {
		return err
	}
	defer s.close()
	return b.each(n.String(), s, b.programs, func(r *session) error {
		r.pause()
		used := r.cpu()
		var writing time.Duration
		took, err := r.until(arriveLimit, func() error {
			first := time.Now()
			err := n.make(filepath.Join(s.source, r.own))
			writing = time.Since(first)
			return err
		}, arrivedAll(n.files, func(i int) string { return filepath.Join(r.own, n.file(i)) }, 1024))
		if r.addTime("from the first write", took, err) != nil {
			return err
		}
		_ = r.addTime("from the last write", took-writing, err)
		r.pause() // its processes end
		r.add("CPU at the source", ms(r.cpu()-used), "ms")
		return nil
	})
}

// arrivedAll looks for n files of a size. It remembers how far it came.
func arrivedAll(n int, file func(i int) string, size int64) func(mirror string) bool {
	done := make(map[string]int)
	return func(mirror string) bool {
		for i := done[mirror]; i < n; i++ {
			st, err := os.Lstat(filepath.Join(mirror, file(i)))
			if err != nil || st.Size() != size {
				return false
			}
			done[mirror] = i + 1
		}
		return true
	}
}

// rename times until a node has the files under the new name of their directory
// and no longer under the old.
func (b *bench) rename() error {
	t := tree{b.renamed, 100, 1024}
	s, err := b.newSite(overDaemon, 1, func(source string) error { return t.fill(filepath.Join(source, "moved0")) })
	if err != nil {
		return err
	}
	defer s.close()
	moves := 0
	label := fmt.Sprintf("rename of a directory of %s files", number(b.renamed))
	return b.each(label, s, b.programs, func(r *session) error {
		from, to := fmt.Sprint("moved", moves), fmt.Sprint("moved", moves+1)
		moves++
		r.pause()
		there := arrivedAll(t.files, func(i int) string { return filepath.Join(to, t.file(i)) }, 1024)
		took, err := r.until(arriveLimit,
			func() error { return os.Rename(filepath.Join(s.source, from), filepath.Join(s.source, to)) },
			func(mirror string) bool {
				_, err := os.Lstat(filepath.Join(mirror, from))
				return os.IsNotExist(err) && there(mirror)
			})
		return r.addTime("time", took, err)
	})
}
