package secret

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// private reports whether nobody but root, the owner of the file behind fd and
// the user of this process can read or write it, going by its mode and, where
// that has one, its access control list.
//
// systemd gives a credential (LoadCredential= in systemd.exec(5)) to a service
// that is not root's by such a list where the file system has them: the file is
// root's with mode 0400, and the service's user may read it too. stat(2) then
// shows 0440, because what looks like the bits of the group is the mask of the
// list (acl(5)).
func private(fd int, mode uint32) bool {
	switch mode & 0o7777 {
	case 0o600, 0o400:
		return true
	case 0o640, 0o440:
		return listsOnlyUs(fd)
	}
	return false
}

// Tags of the entries of an access control list, as the kernel stores them
// behind a version of 4 bytes: tag and permissions of 2 bytes each, an id of 4,
// all little-endian (linux/posix_acl_xattr.h).
const (
	aclUserObj = 0x01
	aclUser    = 0x02
	aclMask    = 0x10
	aclEntry   = 8
)

// listsOnlyUs reports whether the file behind fd has an access control list
// that grants something to its owner, to root and to us alone.
func listsOnlyUs(fd int) bool {
	list := make([]byte, 4+16*aclEntry) // more entries are not what we look for
	n, err := unix.Fgetxattr(fd, "system.posix_acl_access", list)
	if err != nil || n < 4 {
		return false
	}
	for e := list[4:n]; len(e) >= aclEntry; e = e[aclEntry:] {
		tag, granted := binary.LittleEndian.Uint16(e), binary.LittleEndian.Uint16(e[2:]) != 0
		id := binary.LittleEndian.Uint32(e[4:])
		switch {
		case !granted, tag == aclUserObj, tag == aclMask:
		case tag == aclUser && (id == 0 || int(id) == os.Geteuid()):
		default:
			return false
		}
	}
	return true
}
