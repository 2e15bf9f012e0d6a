package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"inosyncd/config"
	"inosyncd/delta/rsync/probe"
)

// tree is what a source holds of what is mirrored.
type tree struct {
	probe.Tree

	dirs   int    // each needs a watch
	unread int    // entries that could not be looked at
	first  string // the first of them
	why    error  // of that one
	gone   error  // why nothing could be looked at
	net    string // the file system, where its changes can come from elsewhere
}

// scan goes through a source as the watcher and a full sync do: without what
// is excluded, and following no link but that of wpath itself.
func scan(ctx context.Context, m config.Mirror) tree {
	t := tree{net: networkFS(m.WPath)}
	above := strings.TrimSuffix(m.WPath, "/") + "/"
	t.gone = filepath.WalkDir(m.WPath, func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, above)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && name == "":
			return err
		case err != nil:
			t.cannot(path, err)
			return nil
		case name != "" && m.Rules.Match(name, d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		t.Entries++
		switch {
		case d.IsDir() && name != "" && !m.Recursive:
			return fs.SkipDir
		case d.IsDir():
			t.dirs++
		case d.Type().IsRegular():
			t.size(path, d)
		}
		return nil
	})
	return t
}

func (t *tree) size(path string, d fs.DirEntry) {
	st, err := d.Info()
	if err != nil {
		t.cannot(path, err)
		return
	}
	t.Bytes += uint64(st.Size()) //nolint:gosec // of a regular file: not below 0
}

// cannot notes what could not be looked at. What has gone meanwhile is none.
func (t *tree) cannot(path string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if t.unread++; t.unread == 1 {
		t.first, t.why = path, err
	}
}

func (t tree) findings() []probe.Finding {
	if t.gone != nil {
		return []probe.Finding{{
			Grade: probe.Fault, About: "source", Text: "cannot be looked at: " + escaped(t.gone.Error()),
			Cure: "make it, or mount it: until then the mirror is held",
		}}
	}
	found := []probe.Finding{{
		About: "source", Text: fmt.Sprintf("directories: %d, entries: %d, %s", t.dirs, t.Entries, probe.Size(t.Bytes)),
	}}
	if t.unread > 0 {
		found = append(found, probe.Finding{
			Grade: probe.Fault, About: "source", Text: fmt.Sprintf("entries that cannot be read: %d, the first is %s: %s", t.unread, escaped(t.first), escaped(t.why.Error())),
			Cure: "let inosyncd read all of the source",
		})
	}
	if t.net != "" {
		found = append(found, probe.Finding{
			Grade: probe.Warning, About: "source", Text: t.net + ": what other machines change there causes no event, only the schedule finds it",
			Cure: "run inosyncd where the files are written",
		})
	}
	return found
}

// networkFS names the file system at path if it is of those whose entries other
// machines can change: statfs(2). inotify(7) tells nothing of such changes.
func networkFS(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return ""
	}
	switch uint32(st.Type) { //nolint:gosec // a magic number of 32 bits
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB"
	case unix.CEPH_SUPER_MAGIC:
		return "CephFS"
	case unix.V9FS_MAGIC:
		return "9P"
	}
	return ""
}
