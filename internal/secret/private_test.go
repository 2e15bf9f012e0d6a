package secret

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPrivate lets in what systemd makes of a credential, and no more.
func TestPrivate(t *testing.T) {
	t.Parallel()
	const group, other, anyGroup = 0x04, 0x20, 0x08
	us := uint32(os.Geteuid())
	type entry struct {
		tag, perm uint16
		id        uint32
	}
	const none = ^uint32(0)
	base := []entry{{aclUserObj, 4, none}, {aclUser, 4, us}, {group, 0, none}, {aclMask, 4, none}, {other, 0, none}}
	with := func(i int, e entry) []entry {
		list := slices.Clone(base)
		list[i] = e
		return list
	}
	for _, tt := range []struct {
		name string
		mode os.FileMode
		acl  []entry
		want bool
	}{
		{"the owner's", 0o600, nil, true},
		{"the owner's, read-only", 0o400, nil, true},
		{"the group's", 0o440, nil, false},
		{"everybody's", 0o404, nil, false},
		{"nobody's", 0, nil, false},
		{"a list with us", 0o400, base, true},
		{"a list with root", 0o400, with(1, entry{aclUser, 4, 0}), true},
		{"a list with another user", 0o400, with(1, entry{aclUser, 4, us + 1}), false},
		{"a list with its group", 0o400, with(2, entry{group, 4, none}), false},
		{"a list with another group", 0o400, slices.Insert(slices.Clone(base), 3, entry{anyGroup, 4, 7}), false},
		{"a list with all others", 0o400, with(4, entry{other, 4, none}), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := f.Chmod(tt.mode); err != nil {
				t.Fatal(err)
			}
			if tt.acl != nil {
				list := binary.LittleEndian.AppendUint32(nil, 2)
				for _, e := range tt.acl {
					list = binary.LittleEndian.AppendUint16(list, e.tag)
					list = binary.LittleEndian.AppendUint16(list, e.perm)
					list = binary.LittleEndian.AppendUint32(list, e.id)
				}
				if err := unix.Fsetxattr(int(f.Fd()), "system.posix_acl_access", list, 0); errors.Is(err, unix.ENOTSUP) {
					t.Skip("needs a file system with access control lists")
				} else if err != nil {
					t.Fatal(err)
				}
			}
			var st unix.Stat_t
			if err := unix.Fstat(int(f.Fd()), &st); err != nil {
				t.Fatal(err)
			}
			if got := private(int(f.Fd()), st.Mode); got != tt.want {
				t.Errorf("private() of mode %04o: got %v, want %v", st.Mode&0o7777, got, tt.want)
			}
		})
	}
}
