package logging

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// File is a log file that can be opened again after it was renamed, without
// losing a line. Write and Reopen may run at once.
type File struct {
	path string

	mu sync.Mutex
	f  *os.File // guarded by mu
}

// OpenFile opens the log file at path for appending and makes it, readable by
// its owner and group, where it is missing. A symbolic link as the last
// component is refused: log directories are often writable by others.
func OpenFile(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	return &File{path: path, f: f}, nil
}

func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o640)
	if err != nil {
		return nil, fmt.Errorf("opening the log file: %w", err)
	}
	return f, nil
}

// Write appends p.
func (l *File) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(p)
}

// Reopen opens the file at the path anew; on error the old one stays in use.
func (l *File) Reopen() error {
	f, err := open(l.path)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.f
	l.f = f
	return old.Close()
}

// Close closes the file.
func (l *File) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Close()
}
