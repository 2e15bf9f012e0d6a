package node

import (
	"fmt"

	"inosyncd/internal/secret"
)

// maxPassword bounds what is read of a password file. rsync takes 512 bytes.
const maxPassword = 512

// CheckPassword says what is wrong with a password file, for a text that has
// named it.
func CheckPassword(path string) error {
	_, err := secret.Line(path, 1, maxPassword)
	return err
}

// readPassword reads the first line of a password file.
func readPassword(path string) (string, error) {
	password, err := secret.Line(path, 1, maxPassword)
	if err != nil {
		return "", fmt.Errorf("the password file %q %w", path, err)
	}
	return password, nil
}
